internal import Events
internal import JSON
internal import Rules
internal import YAML

/// One change of a test or of `--set`, made in an event that is being written.
struct DraftChange {
    let change: FieldChange
    private let tape: JSONTape?

    init(_ change: FieldChange) throws(RehearsalError) {
        self.change = change
        do {
            tape = try change.json.map { text in try JSONParser().parse(text) }
        } catch {
            throw RehearsalError("the value is not JSON", at: change.location)
        }
    }

    /// Pointers into the payload are not seen to here.
    func apply(to draft: inout EventDraft) throws(RehearsalError) {
        switch change.field {
        case .event: draft.type = try type()
        case .time: draft.time = try time()
        case .field(let field): try apply(to: field, of: &draft)
        case .entry(let field, let name): apply(to: field, Array(name.utf8), of: &draft)
        case .pointer: break
        }
    }

    private func failure(_ message: String, didYouMean suggestion: String? = nil) -> RehearsalError {
        RehearsalError(message, didYouMean: suggestion, at: change.location)
    }

    private func type() throws(RehearsalError) -> CanonicalType {
        guard let tape, let text = tape.text(tape.root) else { throw failure("event is a type such as visitor.signin") }
        guard let type = CanonicalType(rawValue: text) else {
            throw failure(
                "no event is called `\(displayable(text))`",
                didYouMean: nearest(text, among: CanonicalType.allCases.map(\.rawValue)))
        }
        return type
    }

    private func time() throws(RehearsalError) -> Timestamp {
        guard let tape, let time = EventDraft.time(tape, tape.root) else {
            throw failure("time is a time such as 2024-07-30T09:00:00Z")
        }
        return time
    }

    private func apply(to field: EventField, of draft: inout EventDraft) throws(RehearsalError) {
        guard let tape else {
            draft[field] = .absent
            return
        }
        if field.kind == .map {
            guard tape.kind(tape.root) == .object else { throw failure("\(field.path) is an object of fields") }
            draft[field] = .map(
                tape.members(tape.root).map { key, value in
                    MapEntry(key: Array((tape.text(key) ?? "").utf8), value: Self.free(tape, value))
                })
            return
        }
        guard let value = Self.value(of: field.kind, tape, tape.root) else {
            throw failure("\(field.path) cannot be this: its kind is \(field.kind.rawValue)")
        }
        draft[field] = value
    }

    private func apply(to field: EventField, _ key: [UInt8], of draft: inout EventDraft) {
        var entries = draft.entries(field) ?? []
        let position = entries.firstIndex { $0.key == key }
        if let tape {
            let entry = MapEntry(key: key, value: Self.free(tape, tape.root))
            if let position { entries[position] = entry } else { entries.append(entry) }
        } else if let position {
            entries.remove(at: position)
        }
        draft[field] = .map(entries)
    }

    // MARK: values

    /// As a sender's value is taken into the field; nil for what the field cannot hold.
    private static func value(of kind: FieldKind, _ tape: JSONTape, _ place: JSONIndex) -> FieldValue? {
        let found = tape.kind(place)
        if found == .null { return .null }
        switch kind {
        case .identifier, .text:
            return tape.scalarText(place).map { .text(Array($0.utf8)) }
        case .timestamp:
            if let time = EventDraft.time(tape, place) { return .time(time) }
            return found == .string ? free(tape, place) : nil
        case .boolean:
            return tape.bool(place).map { .boolean($0) }
        case .number:
            return found == .integer || found == .decimal ? free(tape, place) : nil
        case .identifiers, .reasons:
            return found == .array ? free(tape, place) : nil
        case .any, .map:
            return free(tape, place)
        }
    }

    private static func free(_ tape: JSONTape, _ place: JSONIndex) -> FieldValue {
        switch tape.kind(place) {
        case .null: .null
        case .string: .text(Array((tape.text(place) ?? "").utf8))
        default: .json(Array(tape.bytes[tape.span(place)]))
        }
    }
}
