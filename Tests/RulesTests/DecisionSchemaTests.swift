import Events
import Foundation
import JSON
import Testing
import YAML

@testable import Rules

@Suite("The schema of files of decisions, and their reader")
struct DecisionSchemaTests {
    private static let schema: JSONTape? = try? JSONParser().parse(DecisionsSchema.text(environment: environment))

    private func isValid(_ text: String) throws -> Bool {
        let schema = try #require(Self.schema)
        var diagnostics = Diagnostics()
        let node = try #require(try parseYAML(Array(text.utf8), file: "d.yaml"))
        let json = try #require(NodeJSON.text(node, &diagnostics), "\(diagnostics)")
        return try SchemaValidator(schema: schema).isValid(JSONParser().parse(json))
    }

    private func complaints(_ text: String) -> String {
        RuleLoader.read([], environment: environment, decisions: ("d.yaml", Array(text.utf8))).diagnostics.description
    }

    @Test("the schema has the keys of the file and every kind of ruling, and refuses others")
    func keys() throws {
        let tape = try #require(Self.schema)
        func keys(_ pointer: String) throws -> Set<String> {
            let place = try #require(tape.value(at: JSONPointer(pointer)), "\(pointer)")
            return Set(tape.members(place).compactMap { tape.text($0.key) })
        }
        #expect(
            try keys("/properties")
                == Set(OwnerReader.keys).union(["decisions", "default"]).subtracting([
                    "routes", "defaults", "scope",
                ]))
        #expect(
            try keys("/$defs/decision/properties")
                == Set(DecisionReader.rulings).union(["name", "description", "enabled", "when"]))
        for path in ["", "/$defs/decision", "/$defs/ask", "/$defs/test"] {
            let place = try #require(tape.value(at: JSONPointer(path + "/additionalProperties")))
            #expect(tape.bool(place) == false)
        }
    }

    @Test("every reference leads somewhere, and every definition is used")
    func references() throws {
        let tape = try #require(Self.schema)
        var used: Set<String> = []
        func collect(_ place: JSONIndex) throws {
            for (key, value) in tape.members(place) {
                if tape.equals(key, "$ref"), let target = tape.text(value) {
                    used.insert(String(target.dropFirst("#/$defs/".count)))
                    #expect(try tape.value(at: JSONPointer(String(target.dropFirst()))) != nil, "\(target)")
                }
                try collect(value)
            }
            for element in tape.elements(place) { try collect(element) }
        }
        try collect(tape.root)
        let definitions = try #require(tape.value(at: JSONPointer("/$defs")))
        #expect(used == Set(tape.members(definitions).compactMap { tape.text($0.key) }))
    }

    @Test(
        "files that load are valid",
        arguments: [
            "decisions: []\n",
            "decisions: [{name: a, deny: null}, {name: b, review: x}, {name: c, admit: {}}]\ndefault: admit\n",
            "decisions: [{name: a, description: d, enabled: false, when: {group: A}, deny: {message: \"{site.name}\", admin_notes: n}}]\n",
            "decisions: [{name: a, admit: {visitor_notes: v, admin_notes: 5}}]\n",
            "decisions: [{name: a, ask: {target: crm}}, {name: b, ask: {target: siem, timeout: 3s, on_failure: review}}]\n",
            "decisions: [{name: a, ask: {target: crm, on_failure: {deny: \"Please call us.\"}}}]\n",
            "lists: {a: watch.txt}\nconditions: {c: {group: {in_list: a}}}\ndecisions: [{name: a, when: {condition: c}, deny: x}]\n",
            "tests: [{name: t, given: {sample: sine/signin_before, set: {group: A}}, decision: deny, message: m}]\n",
            "tests: [{name: t, given: {event: {}}, decision: ask}]\n", "calendars: {a: {days: mon}}\n",
        ])
    func valid(_ text: String) throws {
        #expect(complaints(text) == "")
        #expect(try isValid(text))
    }

    @Test(
        "files that do not load for their shape are not valid",
        arguments: [
            "{}\n", "decisions: {}\n", "routes: []\n", "decisions: [{name: a}]\n", "decisions: [{deny: x}]\n",
            "decisions: [{name: a, deny: x, admit: {}}]\n", "decisions: [{name: a, admit: x}]\n",
            "decisions: [{name: a, deny: {visitor_notes: x}}]\n", "decisions: [{name: a, admit: {message: x}}]\n",
            "decisions: [{name: a, when: {grup: A}, deny: x}]\n", "decisions: [{name: a, enabled: \"no\", deny: x}]\n",
            "decisions: [{name: a, ask: crm}]\n", "decisions: [{name: a, ask: {}}]\n",
            "decisions: [{name: a, ask: {target: fax}}]\n",
            "decisions: [{name: a, ask: {target: crm, on_failure: let}}]\n",
            "decisions: [{name: a, ask: {target: crm, on_failure: {deny: x, review: y}}}]\n",
            "decisions: []\ndefault: maybe\n", "tests: [{name: t, given: {event: {}}}]\n",
            "tests: [{name: t, given: {event: {}}, decision: deny, to: siem}]\n",
            "decisions: [{name: a, deny: \"\(String(repeating: "x", count: 2001))\"}]\n",
        ])
    func invalid(_ text: String) throws {
        #expect(complaints(text) != "")
        #expect(try !isValid(text))
    }

    @Test("the examples of the page are valid")
    func examples() throws {
        let page = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "docs/decisions.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        let blocks = text.components(separatedBy: "```yaml decisions\n").dropFirst()
            .compactMap { $0.components(separatedBy: "\n```").first }
        #expect(!blocks.isEmpty)
        for block in blocks {
            // Its targets are not those of this environment.
            #expect(try isValid(block.replacingOccurrences("target: access", "target: crm")), "\(block)")
        }
    }
}
