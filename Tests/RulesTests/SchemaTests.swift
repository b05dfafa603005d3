import Events
import JSON
import Testing

@testable import Rules

@Suite("The schema of route files")
struct SchemaTests {
    private func schema(_ environment: RuleEnvironment? = nil) throws -> JSONTape {
        try JSONParser().parse(RoutesSchema.text(environment: environment))
    }

    private func value(_ tape: JSONTape, _ path: String) throws -> JSONIndex {
        try #require(tape.value(at: JSONPointer(path)), "\(path)")
    }

    private func texts(_ tape: JSONTape, _ path: String) throws -> [String] {
        try tape.elements(value(tape, path)).compactMap { tape.text($0) }
    }

    @Test("it covers every field of the table, with its summary", arguments: EventField.allCases)
    func fields(_ field: EventField) throws {
        let tape = try schema()
        var place = "/$defs/condition"
        for component in field.components {
            // A site or group may be a value too: its sub-fields are the third choice.
            let nested = place + "/anyOf/2/properties/\(component)"
            place = try tape.value(at: JSONPointer(nested)) != nil ? nested : place + "/properties/\(component)"
        }
        #expect(try tape.text(value(tape, place + "/description")) == field.summary)
    }

    @Test("it has nothing beside the table's fields, the event and the blocks, and refuses other names")
    func nothingElse() throws {
        let tape = try schema()
        let names = try tape.members(value(tape, "/$defs/condition/properties")).compactMap { tape.text($0.key) }
        #expect(
            Set(names)
                == Set(
                    EventField.allCases.map { $0.components[0].description } + [
                        "event", "time", "json", "any", "all", "not", "condition",
                    ]))
        for path in ["", "/$defs/route", "/$defs/condition", "/$defs/text/anyOf/2"] {
            #expect(try tape.bool(value(tape, path + "/additionalProperties")) == false)
        }
    }

    @Test("it offers every operator there is, and none that is not")
    func operators() throws {
        let tape = try schema()
        let names = try tape.members(value(tape, "/$defs/value/anyOf/2/properties")).compactMap { tape.text($0.key) }
        #expect(names == RuleOperator.allCases.filter { $0.applies(to: .entry(.personal, [])) }.map(\.rawValue))
        #expect(try texts(tape, "/$defs/state/enum") == FieldState.allCases.map(\.rawValue))
    }

    @Test("it completes event types, and with a configuration its names too")
    func names() throws {
        let types = try texts(schema(), "/$defs/event/anyOf/0/enum")
        #expect(Set(CanonicalType.allCases.map(\.rawValue)).isSubset(of: types) && types.contains("visitor.*"))
        #expect(try schema().value(at: JSONPointer("/$defs/source/anyOf/0/enum")) == nil)
        let tape = try schema(environment)
        #expect(try texts(tape, "/$defs/source/anyOf/0/enum") == environment.sources)
        #expect(try texts(tape, "/$defs/route/properties/to/anyOf/0/enum") == environment.targets)
    }

    @Test("every reference leads somewhere")
    func references() throws {
        let tape = try schema()
        func check(_ place: JSONIndex) throws {
            for (key, value) in tape.members(place) {
                if tape.equals(key, "$ref"), let target = tape.text(value) {
                    #expect(try tape.value(at: JSONPointer(String(target.dropFirst()))) != nil, "\(target)")
                }
                try check(value)
            }
            for element in tape.elements(place) { try check(element) }
        }
        try check(tape.root)
    }
}
