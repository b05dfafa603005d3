import Events
import Foundation
import HTTPClient
import JSON
import Testing
import YAML

@testable import Targets

/// What the page of targets says of formats, keys and defaults, compared with the code.
@Suite("The page of targets") struct FormatTests {
    /// An event that has every field.
    private static let fullEvent: String = {
        var groups: [(name: String, members: [String])] = []
        for field in EventField.allCases {
            let parts = field.components.map(\.description)
            let value =
                switch field.kind {
                case .boolean: "true"
                case .number: "3"
                case .timestamp: #""2024-07-30T01:49:27.069Z""#
                case .identifiers: #"["a"]"#
                case .reasons: #"[{"name":"n","reason":"because"}]"#
                case .map: #"{"key":"v"}"#
                case .identifier, .text, .any: #""\#(parts.joined(separator: "-"))""#
                }
            let name = parts.count == 1 ? "" : parts[0]
            let member =
                parts.count == 3 ? #""\#(parts[1])":{"\#(parts[2])":\#(value)}"# : #""\#(parts.last!)":\#(value)"#
            // The only field nested deeper is written once, by its name.
            if parts.count == 3, parts[2] == "id" { continue }
            if let index = groups.firstIndex(where: { $0.name == name }) {
                groups[index].members.append(member)
            } else {
                groups.append((name, [member]))
            }
        }
        let members = groups.map {
            $0.name.isEmpty
                ? $0.members.joined(separator: ",") : #""\#($0.name)":{\#($0.members.joined(separator: ","))}"#
        }
        return """
            {"specversion":"1.0","id":"9c4e8f5e9a2d77bb0c1f60b1c8a54e23","source":"/sources/london",\
            "type":"visitor.signin","subject":"visitor/1","time":"2020-01-01T12:00:01.000Z",\
            "data":{\(members.joined(separator: ",")),"original":{}}}
            """
    }()

    private func cef() throws -> String {
        let event = try #require(try EventView(parsing: Array(Self.fullEvent.utf8), with: JSONParser()))
        let options = RenderingOptions(
            policy: ContentPolicy(includesOriginal: true, includesBiometrics: false), hostname: "gate")
        let line = try CEFFormat().render(OutgoingEvent(event: event, routes: ["one", "two"]), options)
        return String(decoding: line, as: UTF8.self)
    }

    @Test("every CEF key is in the table, in its order, with its label")
    func cefKeys() throws {
        let line = try cef()
        #expect(line.hasPrefix("CEF:0|Gatehouse|Gatehouse|1|visitor.signin|Visitor signed in|3|"))
        let fields = line.matches(of: /(?:\||\s)(\w+)=(.*?)(?=\s\w+=|$)/).map { (String($0.1), String($0.2)) }
        let labels = Dictionary(uniqueKeysWithValues: fields.filter { $0.0.hasSuffix("Label") })
        let rows = try Page("docs/targets.md").table("Formats", "key", "label").rows
        #expect(rows.map { $0[0].code } == fields.map(\.0).filter { !$0.hasSuffix("Label") })
        for row in rows { #expect(row[2] == labels[row[0].code + "Label"] ?? "", "\(row[0])") }
        let values = Dictionary(uniqueKeysWithValues: fields)
        // The first field a row names is the one the key takes when all are there.
        for row in rows where !["rt", "act", "cat", "externalId", "msg", "dvchost", "cs6", "cn1"].contains(row[0].code)
        {
            let field = try #require(row[1].codes.first.flatMap { EventField(path: $0) }, "\(row)")
            #expect(values[row[0].code] == field.components.map(\.description).joined(separator: "-"), "\(row)")
        }
    }

    private static let minimal = [
        "syslog": "address: \"udp://siem.example\"", "http": "url: \"https://crm.example/\"",
        "webhook": "url: \"https://partner.example/\"", "file": "path: /tmp/archive.ndjson",
        "kafka": "brokers: kafka.example:9092\ntopic: visitors",
    ]

    private func decode(_ type: String, _ more: String) throws -> (blueprint: (any TargetBlueprint)?, problems: String)
    {
        let text = "type: \(type)\n\(try #require(Self.minimal[type]))\n\(more)\n"
        let node = try #require(try parseYAML(Array(text.utf8), file: "t"))
        var diagnostics = Diagnostics()
        let blueprint = TargetTypes.decode(name: "t", node: node, &diagnostics)
        return (blueprint, diagnostics.description)
    }

    @Test("a target type takes the keys of its table, and no other type's", arguments: TargetTypes.all.map(\.name))
    func keys(_ type: String) throws {
        let page = try Page("docs/targets.md")
        let documented = Set(try page.table(type, "key").rows.map { $0[0].code })
        let all = try Set(Self.minimal.keys.flatMap { try page.table($0, "key").rows.map { $0[0].code } })
        let own = try #require(Self.minimal[type])
        let needed = own.split(separator: "\n").map { $0.prefix { $0 != ":" } }
        for key in all where !needed.contains(key[...]) {
            let problems = try decode(type, "\(key): {}").problems
            #expect(problems.contains("unknown key") != documented.contains(key), "\(key): \(problems)")
        }
    }

    @Test("the defaults of the shared keys are those of the table")
    func sharedDefaults() throws {
        let rows = try Page("docs/configuration.md").table("Targets", "key", "default").rows
        let settings = try #require(try decode("http", "").blueprint).settings
        let expected = [
            "enabled": "\(settings.enabled)", "start": "\(settings.start)", "concurrency": "\(settings.concurrency)",
            "timeout": Text.duration(settings.timeout), "attempts": "\(settings.attempts)",
            "order": settings.order.rawValue, "give_up_after": settings.giveUpAfter == nil ? "never" : "?",
            "original": "\(settings.sendsOriginal)",
        ]
        for row in rows { #expect(row[1].code == expected[row[0].code] ?? "", "\(row[0])") }
    }

    @Test("the defaults of each type are those of its table")
    func ownDefaults() throws {
        let page = try Page("docs/targets.md")
        func value(_ type: String, _ key: String) throws -> String? {
            try page.table(type, "key", "default").rows.first { $0[0].code == key }?[1].code
        }
        let syslog = try #require(try decode("syslog", "").blueprint as? SyslogBlueprint)
        #expect(try value("syslog", "format") == syslog.format.name)
        #expect(try value("syslog", "facility").flatMap(SyslogFacility.number) == syslog.facility)
        #expect(try value("syslog", "max_bytes") == "\(syslog.maximumBytes)")
        let http = try #require(try decode("http", "").blueprint as? HTTPBlueprint)
        #expect(try value("http", "method") == http.method)
        let webhook = try #require(try decode("webhook", "").blueprint as? WebhookBlueprint)
        #expect(try value("webhook", "body") == webhook.body.rawValue)
        let bodies = page.tables.first { $0.header.first == "`body`" }?.rows ?? []
        let types = try WebhookBody.allCases.map { body in
            let blueprint = try decode("webhook", "body: \(body.rawValue)").blueprint as? WebhookBlueprint
            return [body.rawValue, blueprint?.contentType ?? ""]
        }
        #expect(bodies.map { [$0[0].code, $0[2].code] } == types.reordered(bodies))
        let file = try #require(try decode("file", "").blueprint as? FileBlueprint)
        #expect(try value("file", "format") == file.format.name)
    }
}

extension [[String]] {
    /// The same rows, in the order of a table's.
    fileprivate func reordered(_ rows: [[String]]) -> [[String]] {
        rows.compactMap { row in first { $0[0] == row[0].code } }
    }
}
