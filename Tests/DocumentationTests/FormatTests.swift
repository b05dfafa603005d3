import Events
import Foundation
import HTTPClient
import JSON
import Testing
import YAML

@testable import Targets

/// What the pages of formats and targets say of formats, keys and defaults, compared with the code.
@Suite("The pages of formats and targets") struct FormatTests {
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

    @Test("every CEF key is in the table, in its order, with its label and its field")
    func cefKeys() throws {
        let line = try cef()
        #expect(line.hasPrefix("CEF:0|Gatehouse|Gatehouse|1|visitor.signin|Visitor signed in|3|"))
        let rows = try Page("docs/formats.md").table("cef", "key", "label").rows
        #expect(rows.map { $0[0].code } == CEFMapping.rules.map { "\($0.key)" })
        #expect(rows.map { $0[2] } == CEFMapping.rules.map { $0.label.map { "\($0)" } ?? "" })
        let fields = line.matches(of: /(?:\||\s)(\w+)=(.*?)(?=\s\w+=|$)/).map { (String($0.1), String($0.2)) }
        let values = Dictionary(uniqueKeysWithValues: fields)
        // The first field a row names is the one the key takes when all are there.
        let others = ["rt", "act", "cat", "externalId", "msg", "dvchost", "src", "c6a2", "smac", "cs6", "cn1"]
        for row in rows where !others.contains(row[0].code) {
            let field = try #require(row[1].codes.first.flatMap { EventField(path: $0) }, "\(row)")
            #expect(values[row[0].code] == field.components.map(\.description).joined(separator: "-"), "\(row)")
        }
    }

    // MARK: formats

    private let page: Page

    init() throws { page = try Page("docs/formats.md") }

    @Test("every format is in the table, and has a section")
    func formats() throws {
        let rows = try page.table("Names", "`format`", "writes").rows.map { $0[0].code }
        #expect(rows == Formats.all.map(\.name) + ["{template: {…}}"])
        #expect(Set(page.headings).isSuperset(of: Formats.all.map(\.name) + ["template"]))
    }

    @Test("every example of a format is what the example event becomes")
    func examples() throws {
        let example = try #require(try Page("docs/event.md").blocks.first { $0.has("event") })
        // As the log keeps it: the example is laid out for people.
        let whole = try JSONSerialization.jsonObject(with: Data(example.text.utf8))
        let compact = try JSONSerialization.data(
            withJSONObject: whole, options: [.sortedKeys, .withoutEscapingSlashes])
        let event = try #require(try EventView(parsing: Array(compact), with: JSONParser()))
        let options = RenderingOptions(
            policy: ContentPolicy(includesOriginal: true, includesBiometrics: false), hostname: "gate.example")
        var shown: Set<String> = []
        for block in page.blocks {
            guard let name = block.value("format") else { continue }
            shown.insert(name)
            let format = try #require(Formats.named(name), "\(name)")
            let line = try format.render(OutgoingEvent(event: event, routes: ["everything"]), options)
            guard block.language == "json" else {
                #expect(String(decoding: line, as: UTF8.self) + "\n" == block.text, "\(name)")
                continue
            }
            #expect(try Self.object(Data(line)) == Self.object(Data(block.text.utf8)), "\(name)")
        }
        #expect(shown.isSuperset(of: ["cef", "leef", "ocsf", "ecs", "original"]))
    }

    /// A payload that stands in a text is compared as what it is, whatever the order of its members.
    private static func object(_ data: Data) throws -> NSDictionary {
        var object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        if let raw = object["raw_data"] as? String {
            object["raw_data"] = try JSONSerialization.jsonObject(with: Data(raw.utf8))
        }
        if var event = object["event"] as? [String: Any], let raw = event["original"] as? String {
            event["original"] = try JSONSerialization.jsonObject(with: Data(raw.utf8))
            object["event"] = event
        }
        return object as NSDictionary
    }

    @Test("every attribute of LEEF is in the table, in its order")
    func leefAttributes() throws {
        #expect(try page.table("leef", "attribute").rows.map { $0[0].code } == LEEFMapping.rules.map { "\($0.key)" })
    }

    @Test("every type is in the tables of OCSF and ECS, as it is mapped")
    func types() throws {
        let names: [OCSFMapping.Class: String] = [
            .base: "Base Event", .authentication: "Authentication", .entityManagement: "Entity Management",
            .dhcp: "DHCP Activity",
        ]
        let ocsf = CanonicalType.allCases.map { type in
            let row = OCSFMapping.row(type)
            return [
                "`\(type.rawValue)`", names[row.objectClass] ?? "", row.activityName, "\(row.type)",
                row.status.map { "\($0.rawValue)" } ?? "",
            ]
        }
        #expect(try page.table("ocsf", "type", "class").rows == ocsf)
        let ecs = CanonicalType.allCases.map { type in
            let row = ECSMapping.row(type)
            return [
                "`\(type.rawValue)`", row.kind, row.categories.joined(separator: ", "),
                row.types.joined(separator: ", "),
                row.outcome ?? "", row.observer.rawValue,
            ]
        }
        #expect(try page.table("ecs", "type", "`event.kind`").rows == ecs)
    }

    @Test("every member of OCSF and every field of ECS is in its table")
    func members() throws {
        func paths(_ rules: [RecordRule]) -> [String] { rules.map { $0.path.map { "\($0)" }.joined(separator: ".") } }
        let ocsf = Set(CanonicalType.allCases.flatMap { paths(OCSFMapping.rules(of: $0)) })
        #expect(try Set(page.table("ocsf", "member").rows.flatMap { $0[0].codes }) == ocsf)
        let ecs = Set(
            CanonicalType.allCases.flatMap { type in
                [true, false].flatMap { paths(ECSMapping.rules(of: type, hasActor: $0)) }
            })
        #expect(try Set(page.table("ecs", "field").rows.flatMap { $0[0].codes }) == ecs)
    }

    // MARK: targets

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
