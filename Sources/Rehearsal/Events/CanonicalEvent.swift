internal import Events
internal import JSON
internal import YAML

/// A canonical event that somebody wrote or kept, checked.
struct CanonicalEvent {
    let view: EventView
    let type: CanonicalType
    /// Nothing is left out, and every value has its field's own form.
    let isWhole: Bool

    var tape: JSONTape { view.tape }

    init(_ tape: JSONTape) throws(RehearsalError) {
        guard tape.kind(tape.root) == .object else { throw RehearsalError("a canonical event is a JSON object") }
        guard let data = tape.member(tape.root, "data"), tape.kind(data) == .object, let view = EventView(tape) else {
            throw RehearsalError("a canonical event has an object `data`; see `gatehouse schema event`")
        }
        guard let place = tape.member(tape.root, "type"), let text = tape.text(place) else {
            throw RehearsalError("a canonical event has a `type`, such as visitor.signin")
        }
        guard let type = CanonicalType(rawValue: text) else {
            throw RehearsalError(
                "no event is called `\(displayable(text))`",
                didYouMean: nearest(text, among: CanonicalType.allCases.map(\.rawValue)))
        }
        if let time = tape.member(tape.root, "time"), EventDraft.time(tape, time) == nil {
            throw RehearsalError("`time` is a time such as 2024-07-30T09:00:00Z")
        }
        if let id = tape.member(tape.root, "id"), tape.text(id).flatMap({ EventID(hex: $0) }) == nil {
            throw RehearsalError("`id` is 32 hex digits; leave it out to have one made")
        }
        var check = DataCheck(tape: tape)
        try check.members(data, path: [])
        let envelope: [StaticString] = ["specversion", "id", "source", "time", "partitionkey"]
        self.view = view
        self.type = type
        isWhole =
            check.isExact && view.original != nil && envelope.allSatisfy { tape.member(tape.root, $0) != nil }
            && view.time != nil
    }

    /// Where `original` stands; only of `withOriginal` can it be relied on.
    var original: JSONIndex { view.original ?? view.data }

    /// The event's text, with an empty `original` where it has none.
    var withOriginal: JSONTape {
        guard view.original == nil else { return tape }
        let edit = JSONEdit(pointer: JSONPointer(tokens: ["data", "original"]), value: Array("{}".utf8))
        // `data` is an object and the text is sound.
        guard let text = try? edit.applied(to: tape), let edited = try? JSONParser().parse(text) else { return tape }
        return edited
    }

    /// The event as a decoder would have left it.
    func draft(receivedAt: Timestamp) -> EventDraft {
        var draft = EventDraft()
        let received = EventDraft.time(tape, view.value(.receivedAt)) ?? receivedAt
        draft.reset(receivedAt: received)
        draft.type = type
        draft.time = EventDraft.time(tape, tape.member(tape.root, "time"))
        draft[.receivedAt] = .time(received)
        for field in EventField.allCases where field != .receivedAt {
            draft.set(field, tape, view.value(field))
        }
        return draft
    }
}

/// Looks at `data` member by member.
private struct DataCheck {
    let tape: JSONTape
    /// Every value has its field's own form.
    private(set) var isExact = true

    private static let paths = Set(EventField.allCases.map(\.path))
    private static let groups = Set(
        EventField.allCases.flatMap { field in
            let parts = field.path.split(separator: ".")
            return (1..<max(parts.count, 1)).map { parts.prefix($0).joined(separator: ".") }
        })

    init(tape: JSONTape) { self.tape = tape }

    mutating func members(_ object: JSONIndex, path: [String]) throws(RehearsalError) {
        for (key, value) in tape.members(object) {
            let name = tape.text(key) ?? ""
            if path.isEmpty, name == "original" { continue }
            let here = (path + [name]).joined(separator: ".")
            if let field = EventField(path: here) {
                try check(value, field)
            } else if Self.groups.contains(here) {
                guard tape.kind(value) == .object else { throw RehearsalError("data.\(here) is an object") }
                try members(value, path: path + [name])
            } else {
                throw RehearsalError(
                    "data has no field `\(displayable(here))`",
                    didYouMean: nearest(here, among: Self.paths.union(Self.groups).sorted()))
            }
        }
    }

    private mutating func check(_ value: JSONIndex, _ field: EventField) throws(RehearsalError) {
        let found = tape.kind(value)
        let isNumber = found == .integer || found == .decimal
        let isRight: Bool
        switch field.kind {
        case .identifier, .text:
            isRight = found == .string || isNumber || tape.bool(value) != nil
            if found != .string, found != .null { isExact = false }
        case .timestamp:
            isRight = found == .string || isNumber
            if isNumber { isExact = false }
        case .boolean:
            isRight = tape.bool(value) != nil
        case .number: isRight = isNumber
        case .identifiers, .reasons: isRight = found == .array
        case .map: isRight = found == .object
        case .any: isRight = true
        }
        guard isRight || found == .null else {
            throw RehearsalError("data.\(field.path) cannot be this: its kind is \(field.kind.rawValue)")
        }
    }
}
