internal import Addresses
internal import Events
internal import JSON

/// What an event has at one path.
struct FieldValues {
    let tape: JSONTape
    let kind: FieldKind
    /// Nil when absent.
    let place: JSONIndex?
    /// The values that are compared: the field's own, or on a list its elements.
    let elements: [JSONIndex]

    init(_ path: FieldPath, of event: EventView) {
        tape = event.tape
        kind = path.kind
        place =
            switch path {
            case .event: tape.member(tape.root, "type")
            case .time: tape.member(tape.root, "time")
            case .field(let field): event.value(field)
            case .entry(let field, let key): event.value(field).flatMap { Self.entry($0, key, event.tape) }
            case .pointer(let pointer): event.original.flatMap { event.tape.value(at: pointer, from: $0) }
            }
        elements = place.map { Self.elements($0, path.kind, event.tape) } ?? []
    }

    private static func entry(_ map: JSONIndex, _ key: [UInt8], _ tape: JSONTape) -> JSONIndex? {
        for (name, value) in tape.members(map) where tape.equals(name, utf8: key) { return value }
        return nil
    }

    private static func elements(_ place: JSONIndex, _ kind: FieldKind, _ tape: JSONTape) -> [JSONIndex] {
        guard tape.kind(place) == .array else { return [place] }
        switch kind {
        case .identifiers, .any, .map: return Array(tape.elements(place))
        case .reasons:
            return tape.elements(place).flatMap { element in
                [tape.member(element, "name"), tape.member(element, "reason")].compactMap { $0 }
            }
        case .identifier, .text, .boolean, .number, .timestamp: return []
        }
    }

    var situation: Situations {
        guard let place else { return .absent }
        switch tape.kind(place) {
        case .null: return .null
        case .array, .object: return tape.count(place) == 0 ? .empty : .other
        case .string:
            let text = text(place)
            return text.isEmpty ? .empty : TextFolding.trimmed(text).isEmpty ? .white : .other
        default: return .other
        }
    }

    // MARK: The values as tests read them

    /// Those that are compared as texts, as they stand.
    var texts: [[UInt8]] { elements.filter { isText($0) }.map { text($0) } }

    /// The value for people: a list's elements with commas between them, nothing for what is absent, null or an object.
    var shownText: String { elements.compactMap { tape.scalarText($0) }.joined(separator: ", ") }

    /// Folded, without outer white space.
    var foldedTexts: [[UInt8]] { texts.map { TextFolding.key(String(decoding: $0, as: UTF8.self)) } }

    var moments: [Int64] {
        guard kind == .timestamp || kind == .any || kind == .map else { return [] }
        return elements.filter { tape.kind($0) == .string }
            .compactMap { Timestamp(text: text($0))?.milliseconds }
    }

    /// Numbers, and texts that are numbers; nil when one is too large to compare.
    var numbers: [OrderedNumber]? {
        guard kind == .number || kind == .any || kind == .map else { return [] }
        var numbers: [OrderedNumber] = []
        for element in elements {
            guard let digits = digits(element) else { continue }
            guard let number = OrderedNumber(digits) else { return nil }
            numbers.append(number)
        }
        return numbers
    }

    var addresses: [IPAddress] {
        foldedTexts.compactMap { IPAddress(String(decoding: $0, as: UTF8.self))?.unmapped }
    }

    /// What each equals.
    /// - Parameter exactly: as it stands.
    func keys(exactly: Bool) -> Set<LiteralKey> {
        var keys: Set<LiteralKey> = []
        for element in elements { keys.formUnion(self.keys(element, exactly: exactly)) }
        return keys
    }

    private func keys(_ element: JSONIndex, exactly: Bool) -> [LiteralKey] {
        let isNumber = tape.kind(element) == .integer || tape.kind(element) == .decimal
        switch kind {
        case .timestamp:
            guard tape.kind(element) == .string else { return [] }
            return Timestamp(text: text(element)).map { [.moment($0.milliseconds)] } ?? []
        case .number:
            return isNumber ? DecimalNumber.canonical(text(element)).map { [.number($0)] } ?? [] : []
        case .boolean:
            return tape.bool(element).map { [.text(Array("\($0)".utf8))] } ?? []
        default:
            guard isText(element) else { return [] }
            if exactly { return [.exact(text(element))] }
            guard isNumber, kind == .any || kind == .map else {
                return [.text(TextFolding.key(String(decoding: text(element), as: UTF8.self)))]
            }
            return DecimalNumber.canonical(text(element)).map { [.number($0)] } ?? []
        }
    }

    private func isText(_ element: JSONIndex) -> Bool {
        switch (kind, tape.kind(element)) {
        case (.boolean, _), (.number, _), (.timestamp, _): false
        case (_, .string), (.any, .boolTrue), (.any, .boolFalse), (.map, .boolTrue), (.map, .boolFalse): true
        case (.identifier, .integer), (.identifier, .decimal), (.identifiers, .integer), (.identifiers, .decimal),
            (.any, .integer), (.any, .decimal), (.map, .integer), (.map, .decimal):
            true
        default: false
        }
    }

    private func digits(_ element: JSONIndex) -> DecimalDigits? {
        switch tape.kind(element) {
        case .integer, .decimal: return DecimalDigits(tape.bytes[tape.span(element)])
        case .string:
            let text = text(element)
            return DecimalDigits(text[TextFolding.trimmed(text)])
        default: return nil
        }
    }

    private func text(_ element: JSONIndex) -> [UInt8] {
        var text: [UInt8] = []
        tape.appendText(element, to: &text)
        return text
    }
}
