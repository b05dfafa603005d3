import Events
import Foundation
import JSON
import Testing

@testable import Targets

@Suite("The ecs format")
struct ECSTests {
    @Test("has fields of the reference and values it allows", arguments: FormatSample.all)
    func fields(sample: FormatSample) throws {
        let record = try JSONTape.object(render(ECSFormat(), sample.event))
        for (path, value) in Self.fields(record) where !path.hasPrefix("gatehouse.") {
            #expect(ECSReference.fields.contains(path), "\(path)")
            #expect(ECSReference.lists.contains(path) == (value is [Any]), "\(path)")
        }
        try checkCategories(try #require(record["event"] as? [String: Any]))
        #expect((record["ecs"] as? [String: Any])?["version"] as? String == ECSMapping.schemaVersion)
        for address in ["source", "observer"].compactMap({ (record[$0] as? [String: Any])?["ip"] }) {
            for text in address as? [String] ?? [address as? String ?? ""] { #expect(TypedText.isAddress(text)) }
        }
    }

    private func checkCategories(_ event: [String: Any]) throws {
        #expect(ECSReference.kinds.contains(try #require(event["kind"] as? String)))
        let types = try #require(event["type"] as? [String])
        #expect(Set(types).isSubset(of: ECSReference.types))
        let expected = try (event["category"] as? [String] ?? []).map {
            try #require(ECSReference.categories[$0], "\($0)")
        }
        // Each category expects one of the types, and every type is expected by one of the categories.
        for category in expected { #expect(!category.isDisjoint(with: types), "\(event)") }
        if !expected.isEmpty { #expect(Set(types).isSubset(of: expected.reduce([]) { $0.union($1) }), "\(event)") }
        if let outcome = event["outcome"] as? String { #expect(ECSReference.outcomes.contains(outcome)) }
    }

    @Test("tells of a rejection as a sign-in that failed, and of the guest's own device apart from the kiosk")
    func details() throws {
        let device = ["device": #"{"id":"d","mac":"00:11:22:aa:bb:cc","ip":"192.0.2.7","hostname":"h"}"#]
        let rejected = try JSONTape.object(render(ECSFormat(), Sample.event("visitor.rejected", replacing: device)))
        let event = try #require(rejected["event"] as? [String: Any])
        #expect(event["category"] as? [String] == ["authentication"] && event["type"] as? [String] == ["start"])
        #expect(event["outcome"] as? String == "failure")
        let observer = try #require(rejected["observer"] as? [String: Any])
        #expect(observer["type"] as? String == "kiosk" && observer["ip"] as? [String] == ["192.0.2.7"])
        #expect(observer["mac"] as? [String] == ["00-11-22-AA-BB-CC"] && rejected["source"] == nil)
        let leased = try JSONTape.object(render(ECSFormat(), Sample.event("dhcp.granted", replacing: device)))
        #expect((leased["source"] as? [String: Any])?["ip"] as? String == "192.0.2.7")
        #expect((leased["network"] as? [String: Any])?["protocol"] as? String == "dhcp")
        #expect((leased["related"] as? [String: Any])?["ip"] as? [String] == ["192.0.2.7"])
    }

    @Test("tells apart who did it and to whom")
    func actor() throws {
        let actor = ["actor": #"{"id":"7","name":"Root"}"#]
        let record = try JSONTape.object(render(ECSFormat(), Sample.event("invitation.created", replacing: actor)))
        let user = try #require(record["user"] as? [String: Any])
        #expect(user["name"] as? String == "Root")
        #expect((user["target"] as? [String: Any])?["name"] as? String == "John Smith")
        let alone = try JSONTape.object(render(ECSFormat(), Sample.event()))
        #expect((alone["user"] as? [String: Any])?["name"] as? String == "John Smith")
    }

    /// Every field by its dotted name; a list is one field.
    private static func fields(_ object: [String: Any], _ prefix: String = "") -> [String: Any] {
        object.reduce(into: [:]) { result, member in
            let path = prefix + member.key
            if let inner = member.value as? [String: Any] {
                result.merge(fields(inner, path + ".")) { $1 }
            } else {
                result[path] = member.value
            }
        }
    }
}

/// From the Elastic Common Schema reference, 8.11 (elastic/ecs: generated/csv/fields.csv, schemas/event.yml): the fields of
/// the sets that are used here, and the values of the four fields of categorisation.
enum ECSReference {
    static let kinds: Set = ["alert", "asset", "enrichment", "event", "metric", "state", "pipeline_error", "signal"]
    static let outcomes: Set = ["failure", "success", "unknown"]
    static let types: Set = [
        "access", "admin", "allowed", "change", "connection", "creation", "deletion", "denied", "end", "error", "group",
        "indicator", "info", "installation", "protocol", "start", "user",
    ]
    /// The types that are expected in each category.
    static let categories: [String: Set<String>] = [
        "authentication": ["start", "end", "info"],
        "configuration": ["access", "change", "creation", "deletion", "info"],
        "host": ["access", "change", "end", "info", "start"],
        "iam": ["admin", "change", "creation", "deletion", "group", "info", "user"],
        "network": ["access", "allowed", "connection", "denied", "end", "info", "protocol", "start"],
        "process": ["access", "change", "end", "info", "start"],
        "session": ["start", "end", "info"],
        "web": ["access", "error", "info"],
    ]
    static let lists: Set = [
        "event.category", "event.type", "observer.ip", "observer.mac", "related.hash", "related.hosts", "related.ip",
        "related.user", "tags", "user.roles",
    ]
    static let fields: Set<String> = Set(
        base + set("event", eventFields) + set("observer", observerFields) + set("source", endpointFields)
            + set("network", networkFields) + set("user", userFields) + set("user.target", userFields)
            + set("agent", ["build.original", "ephemeral_id", "id", "name", "type", "version"])
            + set("organization", ["id", "name"]) + set("related", ["hash", "hosts", "ip", "user"]))

    private static func set(_ name: String, _ fields: [String]) -> [String] { fields.map { "\(name).\($0)" } }

    private static let base = ["@timestamp", "labels", "message", "tags", "ecs.version"]
    private static let eventFields = [
        "action", "agent_id_status", "category", "code", "created", "dataset", "duration", "end", "hash", "id",
        "ingested", "kind", "module", "original", "outcome", "provider", "reason", "reference", "risk_score",
        "risk_score_norm", "sequence", "severity", "start", "timezone", "type", "url",
    ]
    private static let geoFields = [
        "geo.city_name", "geo.continent_code", "geo.continent_name", "geo.country_iso_code", "geo.country_name",
        "geo.location", "geo.name", "geo.postal_code", "geo.region_iso_code", "geo.region_name", "geo.timezone",
    ]
    private static let observerFields =
        geoFields + ["hostname", "ip", "mac", "name", "product", "serial_number", "type", "vendor", "version"]
    private static let endpointFields =
        geoFields + [
            "address", "bytes", "domain", "ip", "mac", "nat.ip", "nat.port", "packets", "port", "registered_domain",
            "subdomain", "top_level_domain",
        ]
    private static let networkFields = [
        "application", "bytes", "community_id", "direction", "forwarded_ip", "iana_number", "name", "packets",
        "protocol", "transport", "type", "vlan.id", "vlan.name",
    ]
    private static let userFields = [
        "domain", "email", "full_name", "group.domain", "group.id", "group.name", "hash", "id", "name", "roles",
    ]
}
