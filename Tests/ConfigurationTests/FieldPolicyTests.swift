import Configuration
import Foundation
import Ingest
import Targets
import Testing
import YAML

@Suite("A field policy in the configuration")
struct FieldPolicyTests {
    private func load(_ text: String) throws -> (configuration: Configuration?, messages: [String]) {
        let file = FileManager.default.temporaryDirectory.appending(path: "policy-\(UUID().uuidString).yaml")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(text.utf8).write(to: file)
        let (configuration, diagnostics) = ConfigurationLoader(purpose: .checking, environment: { _ in nil }).load(
            file.path)
        return (configuration, diagnostics.sorted.map(\.description))
    }

    @Test("stands at a source and at a target")
    func places() throws {
        let (loaded, messages) = try load(
            """
            sources:
              london: {vendor: generic, verify: none, redact: [visitor.phone], hash: {key: 0123456789abcdef, fields: visitor.name}}
              plain: {vendor: generic, verify: none}
            targets:
              siem: {type: file, path: ./a.ndjson, only: [visitor.id], coarsen: {time: day}}
            """)
        let configuration = try #require(loaded, "\(messages)")
        #expect(configuration.sources.map { $0.fieldPolicy != nil } == [true, false])
        #expect(configuration.targets.first?.settings.fieldPolicy != nil)
    }

    @Test("that is wrong is an error at its place, with the nearest right name", arguments: ["sources", "targets"])
    func errors(section: String) throws {
        let entry =
            section == "sources"
            ? "london: {vendor: generic, verify: none" : "siem: {type: file, path: ./a.ndjson"
        let (loaded, messages) = try load("\(section):\n  \(entry),\n    redact: [visitor.fone]}\n")
        #expect(loaded == nil)
        #expect(
            messages.contains {
                $0.contains(":3:14: there is no field `visitor.fone`") && $0.contains("visitor.phone")
            }, "\(messages)")
    }

    /// A source with a field policy, one without, a target and a route to it, by the keys that differ.
    private func messages(
        london: String = ", redact: visitor.name", plain: String = "", target: String, when: String
    ) throws -> [String] {
        let folder = try ConfigurationFolder([
            "gatehouse.yaml": """
            sources:
              london: {vendor: signinapp, verify: none\(london)}
              plain: {vendor: sine, verify: none\(plain)}
            targets:
              partner: {\(target)}
            routes: ./routes.yaml
            """,
            "routes.yaml": "routes:\n  - {name: some, to: partner, when: {\(when)}}\n",
        ])
        return folder.load().messages
    }

    private static let original = "type: webhook, url: \"https://partner.example/\", body: original"

    @Test(
        "of every source that leads to a target which sends the sender's own payload is an error: nothing could be sent",
        arguments: ["source: london", "vendor: signinapp", "source: {not: plain}", "any: [{source: london, site: 1}]"],
        [original, "type: file, path: ./a.ndjson, format: original"])
    func originalOfNobody(when: String, target: String) throws {
        let messages = try messages(target: target, when: when)
        #expect(messages.count == 1, "\(messages)")
        #expect(
            messages[0].hasPrefix("gatehouse.yaml:5:3: the target partner sends the sender's own payload, which london")
                && messages[0].contains("nothing could be sent there"), "\(messages)")
        #expect(try self.messages(london: "", target: target, when: when) == [])
    }

    @Test("of some of them is a warning, which names them")
    func originalOfSome() throws {
        for when in ["", "site: 4567", "event: visitor.signin"] {
            let messages = try messages(target: Self.original, when: when)
            #expect(messages.count == 1, "\(messages)")
            #expect(messages[0].contains("warning: ") && messages[0].contains("every event of london"), "\(messages)")
        }
        let both = try messages(plain: ", only: []", target: Self.original, when: "site: 4567")
        #expect(both.count == 1 && both[0].contains("which london and plain do not keep"), "\(both)")
    }

    @Test(
        "keeps nobody from sending what is there",
        arguments: [
            (original, "source: plain"), (original, "source: {not: london}"), (original, "vendor: sine"),
            (original, "event: system.dead_letter"), (original + ", enabled: false", "source: london"),
            ("type: webhook, url: \"https://partner.example/\"", "source: london"),
            ("type: file, path: ./a.ndjson", "source: london"),
        ])
    func originalOfOthers(target: String, when: String) throws {
        let messages = try messages(target: target, when: when)
        #expect(messages == [])
    }

    @Test("leaves a route that asks the sender's own payload nothing to find, and `check` says so where it asks")
    func pointers() throws {
        let file = "type: file, path: ./a.ndjson"
        let asking = try messages(target: file, when: #"source: london, json: {"/visitor/id": 1}"#)
        #expect(asking.count == 1, "\(asking)")
        #expect(
            asking[0].hasPrefix("routes.yaml:2:")
                && asking[0].contains("warning: the route `some` asks the sender's own"),
            "\(asking)")
        #expect(try messages(target: file, when: #"json: {"/visitor/id": 1}"#) == [])
        #expect(try messages(london: "", target: file, when: #"source: london, json: {"/visitor/id": 1}"#) == [])
    }
}
