import Configuration
import Cryptography
import Events
import Foundation
import HTTPTypes
import JSON
import Rules
import Signatures
import Testing
import Vendors

/// Tables of the pages, compared with what the code says.
@Suite("The tables of the pages") struct ReferenceTests {
    // MARK: the event

    @Test("every field is in the table, with its kind and meaning")
    func fields() throws {
        let rows = try Page("docs/event.md").table("Fields", "field", "kind", "meaning").rows
        let expected = EventField.allCases.map { ["`\($0.path)`", $0.kind.rawValue, $0.summary] }
        #expect(rows == expected)
    }

    @Test("every canonical type is in the table")
    func types() throws {
        let rows = try Page("docs/event.md").table("Types", "type").rows
        #expect(rows.map { $0[0].code } == CanonicalType.allCases.map(\.rawValue))
    }

    @Test("the envelope's attributes are those of an event")
    func envelope() throws {
        let rows = try Page("docs/event.md").table("The envelope", "attribute").rows
        let block = try #require(try Page("docs/event.md").blocks.first { $0.has("event") })
        let tape = try JSONParser().parse(Array(block.text.utf8))
        let members = tape.members(tape.root).compactMap { tape.text($0.key) }
        #expect(rows.map { $0[0].code } + ["data"] == members)
    }

    // MARK: the configuration

    private let configuration = SchemaReader(ConfigurationSchema.text)

    @Test("every key of the configuration is in its table")
    func keys() throws {
        let page = try Page("docs/configuration.md")
        let sections: [(heading: String, path: [String])] = [
            ("Top level", []), ("listen", ["listen"]), ("console", ["console"]), ("retention", ["retention"]),
            ("kafka", ["log", "kafka"]), ("Sources", ["sources", "*"]), ("Sites", ["sites", "*"]),
            ("Teams", ["teams", "*"]),
        ]
        for (heading, path) in sections {
            let keys = try page.table(heading, "key").rows.map { $0[0].code }
            #expect(Set(keys) == configuration.keys(path), "\(heading)")
            #expect(keys.count == Set(keys).count, "\(heading)")
        }
    }

    @Test("every key of every target is in a table")
    func targetKeys() throws {
        let targets = try Page("docs/targets.md")
        let shared = try Page("docs/configuration.md").table("Targets", "key").rows.map { $0[0].code }
        var own: [String] = []
        for heading in ["syslog", "http", "webhook", "file", "kafka"] {
            own += try targets.table(heading, "key").rows.map { $0[0].code }
        }
        #expect(Set(shared + own) == configuration.keys(["targets", "*"]))
        let tls = try targets.table("TLS", "key").rows.map { $0[0].code }
        #expect(Set(tls) == configuration.keys(["targets", "*", "tls"]))
    }

    @Test("every key of a signature's free form is in its table")
    func signatureKeys() throws {
        let keys = try Page("docs/senders.md").table("The free form", "key").rows.map { $0[0].code }
        let schema = configuration.keys(["sources", "*", "signature"])
        #expect(Set(keys).union(["scheme", "secrets"]) == schema.union(["id"]))
    }

    // MARK: routes

    private let routes = SchemaReader(String(decoding: RoutesSchema.text(), as: UTF8.self))

    @Test("every key of a route, every operator, state and kind of value is in its table")
    func routeLanguage() throws {
        let page = try Page("docs/routes.md")
        func first(_ heading: String, _ column: String) throws -> [String] {
            try page.table(heading, column).rows.map { $0[0].code.replacing("\"", with: "") }
        }
        #expect(try Set(first("Files", "key")) == routes.definition("route"))
        let operators = ["text", "value", "event_time"].reduce(into: Set<String>()) {
            $0.formUnion(routes.definition($1))
        }
        #expect(try Set(first("Operators", "operator")) == operators.subtracting(["zone"]))
        #expect(try Set(first("Files", "section")) == routes.keys([]))
        #expect(try Set(first("Times", "key")) == routes.definition("calendar"))
        #expect(try Set(first("Tests", "key")) == routes.definition("test"))
        #expect(try first("Operators", "state") == routes.names("state"))
        #expect(try Set(first("Values", "kind")) == Set(EventField.allCases.map(\.kind.rawValue)))
    }

    // MARK: senders

    private static let headings = [
        "signinapp": "Sign In App", "sine": "Sine", "netgraph": "Netgraph Sign In", "alocity": "Alocity Selfie",
        "envoy": "Envoy",
    ]

    @Test("every event of a sender is in its table, with what it becomes", arguments: Vendors.all.map(\.name))
    func events(_ name: String) throws {
        guard let heading = Self.headings[name] else { return #expect(name == "generic") }
        let vendor = try #require(Vendors.named(name))
        let rows = try Page("docs/senders.md").table(heading, "event", "becomes").rows
        let found = rows.map { [$0[0].codes, $0[1].codes] }
        #expect(found == vendor.events.map { [[$0.name] + $0.aliases, [$0.type.rawValue]] })
    }

    @Test("every sender is in the table, with its defaults and its answer")
    func senders() throws {
        let page = try Page("docs/senders.md")
        let rows = try page.table("Senders", "`vendor:`").rows
        #expect(rows.map { $0[0].code } == Vendors.all.map(\.name))
        for (row, vendor) in zip(rows, Vendors.all) {
            switch vendor.traits.authentication {
            case .signature(let scheme): #expect(row[2] == "scheme `\(scheme.name)`")
            case .apiKey(let header): #expect(row[2] == "header `\(header)`")
            case .headers: #expect(row[2].contains("headers"))
            case .configured: #expect(row[2].contains("`signature:`"))
            }
            if !row[3].isEmpty { #expect(row[3] == Text.duration(vendor.traits.toleranceSeconds), "\(vendor.name)") }
            #expect(row[4] == Text.size(vendor.traits.maximumBody), "\(vendor.name)")
            let answer = vendor.acknowledgement(for: .visitorSignin)
            let body = String(decoding: answer.body, as: UTF8.self)
            #expect(row[5] == "\(answer.status)" + (body.isEmpty ? "" : " `\(body)`"), "\(vendor.name)")
        }
        let text = try Project.text("docs/senders.md")
        for address in Vendors.all.flatMap(\.traits.sourceAddresses) { #expect(text.contains(address)) }
    }

    @Test("every member that is cut out is named")
    func sensitiveMembers() throws {
        let rows = try Page("docs/security.md").table("Biometric data and codes", "vendor", "members").rows
        let expected = Vendors.all.filter { !$0.sensitiveMembers.isEmpty }
        #expect(Set(rows.map { $0[0].code }) == Set(expected.map(\.name)))
        for row in rows {
            let vendor = try #require(Vendors.named(row[0].code))
            #expect(row[1].codes == vendor.sensitiveMembers.map(\.description))
        }
    }

    @Test("every signature scheme is in the table, as it is")
    func schemes() throws {
        let rows = try Page("docs/senders.md").table("Signature schemes", "scheme").rows
        let expected = SignatureSchemes.all.map { scheme in
            ["`\(scheme.name)`", "`\(scheme.header)`", "sha256, \(scheme.encoding.rawValue)", "`\(scheme.content)`"]
        }
        #expect(Set(rows) == Set(expected))
        #expect(SignatureSchemes.all.allSatisfy { $0.variants[0].algorithm == .hmac(.sha256) })
    }

    // MARK: modules

    @Test("every module and every C library is in its table")
    func modules() throws {
        let page = try Page("docs/architecture.md")
        let modules = try page.table("Modules", "module").rows.flatMap { $0[0].codes }
        let folders = try FileManager.default.contentsOfDirectory(atPath: Project.path("Sources"))
        #expect(modules.sorted() == folders.filter { !$0.hasPrefix(".") }.sorted())
        let packages = try page.table("C libraries", "Debian package").rows.map { $0[1].code }
        let script = try Project.text("deploy/install-dependencies")
        let build = script.components(separatedBy: "build=(")[1].components(separatedBy: "\n)")[0]
        let wanted = build.matches(of: /"([\w.+-]+)\|/).map { String($0.1) }
        let libraries = wanted.filter { $0 != "pkg-config" && $0 != "tzdata" }
        #expect(packages.sorted() == libraries.sorted())
    }

    // MARK: commands

    @Test("every command has a section with its summary, its usage and its options")
    func commands() throws {
        let page = try Page("docs/commands.md")
        let text = try Project.text("docs/commands.md")
        let commands = try CommandHelp.all()
        let overview = try page.table("Commands", "command", "does").rows
        #expect(overview.map { [$0[0].code, $0[1]] } == commands.map { [$0.name, $0.summary] })
        for command in commands {
            #expect(page.headings.contains(command.name))
            #expect(text.contains("`\(command.usage)`"), "\(command.usage)")
            let rows = page.tables.first { $0.heading == command.name }?.rows ?? []
            let expected = command.options.map { option in
                let short = option.short.map { $0 + ", " } ?? ""
                return ["`\(short)--\(option.name)\(option.value.map { " " + $0 } ?? "")`", option.meaning]
            }
            #expect(rows == expected, "\(command.name)")
            let examples = page.blocks.filter { $0.text.contains("gatehouse \(command.name)") }
            #expect(!examples.isEmpty, "\(command.name)")
        }
    }
}

/// Numbers as the pages write them.
enum Text {
    static func duration(_ seconds: Int) -> String {
        for (unit, size) in [("d", 86_400), ("h", 3600), ("m", 60)] where seconds % size == 0 && seconds > size {
            return "\(seconds / size)\(unit)"
        }
        return "\(seconds)s"
    }

    static func duration(_ duration: Duration) -> String { Self.duration(Int(duration.components.seconds)) }

    static func size(_ bytes: Int) -> String {
        for (unit, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)] where bytes % (1 << shift) == 0 {
            return "\(bytes >> shift)\(unit)"
        }
        return "\(bytes)B"
    }
}

/// The names a JSON Schema of ours has.
struct SchemaReader: @unchecked Sendable {  // Read only.
    private let root: [String: Any]

    init(_ text: String) {
        root = (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any] ?? [:]
    }

    /// The properties of the object at a path of keys; `*` is any key.
    func keys(_ path: [String]) -> Set<String> {
        var node: Any? = root
        for name in path {
            let object = Self.object(node)
            node = name == "*" ? object?["additionalProperties"] : (object?["properties"] as? [String: Any])?[name]
        }
        return Set((Self.object(node)?["properties"] as? [String: Any])?.keys.map(\.self) ?? [])
    }

    /// The properties of a definition.
    func definition(_ name: String) -> Set<String> {
        let definition = (root["$defs"] as? [String: Any])?[name]
        return Set((Self.object(definition)?["properties"] as? [String: Any])?.keys.map(\.self) ?? [])
    }

    /// The values of a definition that lists them.
    func names(_ name: String) -> [String] {
        let definition = (root["$defs"] as? [String: Any])?[name] as? [String: Any]
        return definition?["enum"] as? [String] ?? []
    }

    /// The node, or that of its alternatives that is an object with properties.
    private static func object(_ node: Any?) -> [String: Any]? {
        guard let node = node as? [String: Any] else { return nil }
        guard let alternatives = node["anyOf"] as? [[String: Any]] else { return node }
        return alternatives.first { $0["properties"] != nil }
    }
}
