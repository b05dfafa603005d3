import Events
import JSON

/// Members whose values must not get further than the sender's own payload, and not even stay there unasked.
struct SensitiveMembers {
    private let names: [StaticString]

    init(of vendor: any Vendor) {
        names = vendor.sensitiveMembers
    }

    func contains(_ tape: JSONTape, key: JSONIndex) -> Bool {
        names.contains { tape.equals(key, ignoringCase: $0) }
    }

    func contains(_ name: String) -> Bool {
        names.contains { $0.description.lowercased() == name.lowercased() }
    }

    /// Whether such a member stands anywhere inside.
    func isIn(_ tape: JSONTape, _ index: JSONIndex) -> Bool {
        guard !names.isEmpty else { return false }
        return switch tape.kind(index) {
        case .object: tape.members(index).contains { contains(tape, key: $0.key) || isIn(tape, $0.value) }
        case .array: tape.elements(index).contains { isIn(tape, $0) }
        default: false
        }
    }

    /// Each outermost one, wherever it stands below the value.
    func all(_ tape: JSONTape, _ index: JSONIndex) -> [(key: JSONIndex, value: JSONIndex)] {
        guard !names.isEmpty else { return [] }
        var found: [(key: JSONIndex, value: JSONIndex)] = []
        collect(tape, index, &found)
        return found
    }

    private func collect(_ tape: JSONTape, _ index: JSONIndex, _ found: inout [(key: JSONIndex, value: JSONIndex)]) {
        switch tape.kind(index) {
        case .object:
            for member in tape.members(index) {
                if contains(tape, key: member.key) {
                    found.append(member)
                } else {
                    collect(tape, member.value, &found)
                }
            }
        case .array:
            for element in tape.elements(index) { collect(tape, element, &found) }
        default:
            break
        }
    }
}

extension EventDraft {
    /// Empties every field that was given a list or an object with one of these inside.
    mutating func scrub(_ tape: JSONTape, of members: [(key: JSONIndex, value: JSONIndex)]) {
        for field in EventField.allCases {
            guard case .raw(let range) = self[field] else { continue }
            if members.contains(where: { range.overlaps(tape.span($0.value)) }) { self[field] = .absent }
        }
    }
}
