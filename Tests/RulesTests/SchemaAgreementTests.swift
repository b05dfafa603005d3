import JSON
import Testing
import YAML

@testable import Rules

/// The schema beside the readers: what one takes, the other takes too.
@Suite("The schema and the readers")
struct SchemaAgreementTests {
    private static let schema: JSONTape? = try? JSONParser().parse(RoutesSchema.text(environment: environment))

    private func isValid(_ text: String) throws -> Bool {
        let schema = try #require(Self.schema)
        var diagnostics = Diagnostics()
        let node = try #require(try parseYAML(Array(text.utf8), file: "r.yaml"))
        let json = try #require(NodeJSON.text(node, &diagnostics), "\(diagnostics)")
        return try SchemaValidator(schema: schema).isValid(JSONParser().parse(json))
    }

    @Test(
        "an operator is in the schema for the fields it can be asked of, and for no other",
        arguments: RuleOperator.allCases)
    func operators(_ operation: RuleOperator) throws {
        for field in OperatorMatrixTests.Field.allCases {
            let argument = OperatorMatrixTests.argument(operation, field)
            for argument in operation == .between ? [argument] : [argument, "[\(argument), \(argument)]"] {
                let condition = field.condition("{\(operation.rawValue): \(argument)}")
                let text = "routes: [{name: r, to: siem, when: \(condition)}]\n\(watchList)"
                #expect(try isValid(text) == complaints(text).isEmpty, "\(condition)")
            }
        }
    }

    @Test(
        "files that load are valid",
        arguments: [
            "routes: [{name: r, to: [siem, crm], enabled: false, description: d, unmatched: true, when: {}}]\n",
            "defaults: {to: siem, when: {event: visitor.*}, enabled: true}\nroutes: [{name: r}]\n",
            "scope: {site: {key: london}, group: [A, B], host: {group: {id: 7}}}\nroutes: []\n",
            "conditions: {a: {group: A}, b: {condition: [a], any: [{condition: a}, {not: {site: 1}}]}}\n",
            "calendars: {a: {days: [mon, wed-fri], from: \"22:00\", to: \"24:00\", holidays: [2024-12-25], zone: Europe/Rome}}\n",
            "calendars: {a: {days: mon}}\nroutes: [{name: r, to: siem, when: {time: {outside: [a, {days: sat}], zone: UTC}}}]\n",
            "routes: [{name: r, to: siem, when: {site: {not: 1, name: x, is: present}, json: {/a: {is: blank}, /b: [1, x]}}}]\n",
            "lists: {a: watch.txt, b: {file: watch.txt}}\nroutes: [{name: r, to: siem, when: {group: {in_list: [a, b]}}}]\n",
            "routes: [{name: r, to: siem}]\ntests: [{name: t, given: {event: {}}, to: [], routes: [r]}]\n",
            "tests: [{name: t, given: {sample: sine/x, set: {site: 1, group: {name: x}, personal: {a: null}, time: 2024-07-30T09:00:00Z, event: pin.ok, json: {/a: 1}}}, to: siem}]\n",
            "tests: [{name: t, given: {payload: {a: 1}, source: london}, to: siem}]\n",
        ])
    func valid(_ text: String) throws {
        #expect(complaints(text) == "")
        #expect(try isValid(text))
    }

    @Test(
        "files that do not load for their shape are not valid",
        arguments: [
            "{}\n", "routes: {}\n", "decisions: {}\n", "routes: [{to: siem}]\n", "routes: [{name: r, to: fax}]\n",
            "routes: [{name: r, to: siem, enabled: \"yes\"}]\n", "routes: [{name: r, to: siem, when: {grup: a}}]\n",
            "routes: [{name: r, to: siem, when: {any: {group: a}}}]\n",
            "routes: [{name: r, to: siem, when: {all: []}}]\n",
            "routes: [{name: r, to: siem, when: {visitor: {emial: a}}}]\n",
            "routes: [{name: r, to: siem, when: {group: []}}]\n",
            "routes: [{name: r, to: siem, when: {personal: {}}}]\n",
            "routes: [{name: r, to: siem, when: {json: {a: b}}}]\n",
            "routes: [{name: r, to: siem, when: {group: {is: there}}}]\n",
            "routes: [{name: r, to: siem, when: {event: visitor.singin}}]\n",
            "routes: [{name: r, to: siem, when: {face: {attempts: {between: [1]}}}}]\n",
            "calendars: {a: {}}\n", "calendars: {a: {day: mon}}\n", "calendars: {a: {from: 8:00, to: \"18:00\"}}\n",
            "tests: [{name: t}]\n", "tests: [{name: t, given: {sample: sine/x, set: {grup: a}}, to: []}]\n",
            "tests: [{name: t, given: {payload: a, source: london}, to: []}]\n", "defaults: {name: x}\n",
            "conditions: {a: [b]}\n",
        ])
    func invalid(_ text: String) throws {
        #expect(complaints(text) != "")
        #expect(try !isValid(text))
    }
}

/// As much of JSON Schema as the schemas of rules use.
struct SchemaValidator {
    let schema: JSONTape

    func isValid(_ value: JSONTape) throws -> Bool { try holds(schema.root, value, value.root) }

    private func holds(_ rule: JSONIndex, _ tape: JSONTape, _ value: JSONIndex) throws -> Bool {
        for (key, argument) in schema.members(rule) {
            guard try holds(schema.text(key) ?? "", argument, rule, tape, value) else { return false }
        }
        return true
    }

    private func holds(
        _ keyword: String, _ argument: JSONIndex, _ rule: JSONIndex, _ tape: JSONTape, _ value: JSONIndex
    ) throws -> Bool {
        let members = tape.members(value).map { $0 }
        let elements = tape.elements(value).map { $0 }
        switch keyword {
        case "$schema", "$id", "$defs", "title", "description": return true
        case "$ref":
            let pointer = String((schema.text(argument) ?? "").dropFirst())
            return try holds(#require(schema.value(at: JSONPointer(pointer))), tape, value)
        case "type": return types(argument).contains { $0 == type(tape, value) }
        case "enum":
            return schema.elements(argument).contains { schema.text($0) == tape.text(value) }
        case "anyOf":
            return try schema.elements(argument).contains { try holds($0, tape, value) }
        case "oneOf":
            return try schema.elements(argument).count { try holds($0, tape, value) } == 1
        case "required":
            let names = schema.elements(argument).compactMap { schema.text($0) }
            return tape.kind(value) != .object
                || names.allSatisfy { name in members.contains { tape.text($0.key) == name } }
        case "properties":
            for (key, value) in members {
                guard let rule = schema.member(argument, named: tape.text(key) ?? "") else { continue }
                guard try holds(rule, tape, value) else { return false }
            }
            return true
        case "additionalProperties":
            let known = schema.member(rule, named: "properties").map {
                schema.members($0).compactMap { schema.text($0.key) }
            }
            for (key, value) in members where known?.contains(tape.text(key) ?? "") != true {
                if schema.bool(argument) == false { return false }
                if schema.kind(argument) == .object, try !holds(argument, tape, value) { return false }
            }
            return true
        case "propertyNames":
            let pattern = try Regex(#require(schema.member(argument, named: "pattern").flatMap { schema.text($0) }))
            return members.allSatisfy { (tape.text($0.key) ?? "").contains(pattern) }
        case "pattern":
            return try tape.text(value)?.contains(Regex(#require(schema.text(argument)))) ?? true
        case "items":
            return try elements.allSatisfy { try holds(argument, tape, $0) }
        case "minItems": return tape.kind(value) != .array || elements.count >= number(argument)
        case "maxItems": return tape.kind(value) != .array || elements.count <= number(argument)
        case "minProperties": return tape.kind(value) != .object || members.count >= number(argument)
        case "maxProperties": return tape.kind(value) != .object || members.count <= number(argument)
        case "minLength": return (tape.text(value)?.count ?? .max) >= number(argument)
        case "maxLength": return (tape.text(value)?.count ?? 0) <= number(argument)
        default:
            Issue.record("the validator does not know `\(keyword)`")
            return false
        }
    }

    private func number(_ index: JSONIndex) -> Int { Int(schema.integer(index) ?? 0) }

    private func types(_ argument: JSONIndex) -> [String] {
        schema.text(argument).map { [$0] } ?? schema.elements(argument).compactMap { schema.text($0) }
    }

    private func type(_ tape: JSONTape, _ value: JSONIndex) -> String {
        switch tape.kind(value) {
        case .object: "object"
        case .array: "array"
        case .string: "string"
        case .integer, .decimal: "number"
        case .boolTrue, .boolFalse: "boolean"
        case .null: "null"
        }
    }
}
