import Addresses
import Events
import Foundation
import JSON
import Testing

@testable import Targets

@Suite("The ecs format")
struct ECSTests {
    @Test("has fields of the reference, of their types, and values it allows", arguments: FormatSample.all)
    func fields(sample: FormatSample) throws {
        try check(sample.event)
    }

    @Test("has them whatever visitors typed, at every length, and where a policy left little", arguments: Hostile.texts)
    func hostile(text: String) throws {
        for type in CanonicalType.allCases {
            try check(FormatSample.full(type, text: String(text.prefix(200)), hasActor: text.count % 2 == 0))
        }
        let long = try FormatSample.full(.visitorRejected, text: String(text.prefix(900)))
        for limit in [1024, 4000] { try check(long, limit: limit) }
        try check(Sample.event(replacing: FormatSample.nothing))
    }

    private func check(_ event: EventView, limit: Int? = nil) throws {
        let record = try JSONTape.object(render(ECSFormat(), event, limit: limit))
        for (path, value) in Self.fields(record) where !path.hasPrefix("gatehouse.") {
            let field = try #require(ECSReference.fields[path], "\(path)")
            #expect(field.isList == (value is [Any]), "\(path)")
            for single in value as? [Any] ?? [value] { #expect(Self.is(single, field.kind), "\(path): \(single)") }
        }
        try checkCategories(try #require(record["event"] as? [String: Any]))
        #expect(record["@timestamp"] != nil)
        #expect((record["ecs"] as? [String: Any])?["version"] as? String == ECSMapping.schemaVersion)
    }

    private static func `is`(_ value: Any, _ kind: ECSReference.Kind) -> Bool {
        switch kind {
        case .keyword, .text: value is String
        case .date: (value as? String).flatMap { Timestamp(text: Array($0.utf8)[...]) } != nil
        case .ip: (value as? String).flatMap { IPAddress($0) } != nil
        case .long: value is Int
        case .float: value is Double
        case .object, .geoPoint: value is [String: Any]
        }
    }

    private func checkCategories(_ event: [String: Any]) throws {
        #expect(ECSReference.kinds.contains(try #require(event["kind"] as? String)))
        let types = try #require(event["type"] as? [String])
        #expect(!types.isEmpty)
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
