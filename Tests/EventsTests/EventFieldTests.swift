import Testing

@testable import Events

@Suite("The field table")
struct EventFieldTests {
    @Test("has a row for every field, in the order of the fields", arguments: EventField.allCases)
    func order(field: EventField) {
        #expect(EventField.definitions[Int(field.rawValue)].field == field)
        #expect(EventField(path: field.path) == field)
        #expect(!field.summary.isEmpty)
    }

    @Test("keeps the fields of one object together, so that each object is written once")
    func grouping() {
        var closed: Set<String> = []
        var open = ""
        for field in EventField.allCases {
            let group = field.components.dropLast().map(\.description).joined(separator: ".")
            if group != open {
                #expect(!group.isEmpty ? !closed.contains(group) : true, "\(field.path)")
                if !group.hasPrefix(open + ".") { closed.insert(open) }
                open = group
            }
        }
        #expect(EventField.definitions.count == EventField.allCases.count)
    }
}
