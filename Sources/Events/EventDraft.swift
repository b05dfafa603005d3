package import JSON

/// What stands in one field of a draft: part of the sender's text as it stands, or text of our own.
package enum FieldValue: Sendable, Equatable {
    case absent
    case null
    /// JSON text in the sender's payload, copied as it stands.
    case raw(Range<Int>)
    /// A number of the payload, written as a text.
    case quoted(Range<Int>)
    /// JSON of our own.
    case json([UInt8])
    /// UTF-8 text, escaped when written.
    case text([UInt8])
    case boolean(Bool)
    case time(Timestamp)
    /// The entries of `personal` or `additional`.
    case map([MapEntry])
}

/// One entry of `personal` or `additional`.
package struct MapEntry: Sendable, Equatable {
    package var key: [UInt8]
    package var value: FieldValue

    package init(key: [UInt8], value: FieldValue) {
        self.key = key
        self.value = value
    }
}

/// A canonical event in the making: what a sender's decoder found, field by field, as places in the payload's text, so
/// that most values are copied once and never decoded. One draft is reused for many events.
package struct EventDraft: Sendable {
    package var type: CanonicalType = .other
    package var time: Timestamp?
    package var receivedAt = Timestamp(milliseconds: 0)
    /// The sender's own key for this event; several parts are joined by one line feed. Nil: the hash of the element.
    package var dedupeKey: [UInt8]?
    /// Parts of the payload that must not be kept in `original` (biometrics, codes): members of objects.
    package var removals = OriginalRemovals()
    /// Whether nothing of the payload is kept beside the fields.
    package var leavesOutOriginal = false

    /// One for each field. A slot whose bit in `present` is not set is `absent`.
    private var slots: [FieldValue]
    private var present: UInt128 = 0

    package init() {
        precondition(EventField.allCases.count <= UInt128.bitWidth)
        slots = Array(repeating: .absent, count: EventField.allCases.count)
    }

    /// Empties the draft for the next event, keeping its storage.
    package mutating func reset(receivedAt: Timestamp) {
        while present != 0 {
            slots[present.trailingZeroBitCount] = .absent
            present &= present - 1
        }
        type = .other
        time = nil
        dedupeKey = nil
        removals.removeAll()
        leavesOutOriginal = false
        self.receivedAt = receivedAt
    }

    package subscript(_ field: EventField) -> FieldValue {
        get { slots[Int(field.rawValue)] }
        set {
            slots[Int(field.rawValue)] = newValue
            let bit: UInt128 = 1 << UInt128(field.rawValue)
            if case .absent = newValue { present &= ~bit } else { present |= bit }
        }
    }

    /// Gives every field that has a value, by the field's number, in the order of the table.
    func forEachPresent(_ body: (Int, FieldValue) -> Void) {
        var rest = present
        while rest != 0 {
            let field = rest.trailingZeroBitCount
            rest &= rest - 1
            body(field, slots[field])
        }
    }

    package mutating func set(_ field: EventField, text: String) {
        self[field] = .text(Array(text.utf8))
    }

    /// Takes a value of the payload, as the field's kind wants it. A value of a type the field cannot hold is left out:
    /// it is still in `original`. Nil leaves the field as it is.
    package mutating func set(_ field: EventField, _ tape: JSONTape, _ index: JSONIndex?) {
        guard let index else { return }
        if field.kind == .map {
            addAll(field, tape, index)
        } else if let value = Self.value(of: field.kind, tape, index) {
            self[field] = value
        }
    }

    private static func value(of kind: FieldKind, _ tape: JSONTape, _ index: JSONIndex) -> FieldValue? {
        let found = tape.kind(index)
        if found == .null { return .null }
        switch kind {
        case .identifier, .text:
            switch found {
            case .string: return string(tape, index)
            case .integer, .decimal, .boolTrue, .boolFalse: return .quoted(tape.span(index))
            default: return nil
            }
        case .timestamp:
            return timestamp(tape, index)
        case .boolean:
            if let value = tape.bool(index) { return .boolean(value) }
            if tape.equals(index, "true") { return .boolean(true) }
            if tape.equals(index, "false") { return .boolean(false) }
            return nil
        case .number:
            return found == .integer || found == .decimal ? .raw(tape.span(index)) : nil
        case .identifiers, .reasons:
            return found == .array ? any(tape, index) : nil
        case .any, .map:
            return any(tape, index)
        }
    }

    private static func string(_ tape: JSONTape, _ index: JSONIndex) -> FieldValue {
        guard !tape.isClean(index) else { return .raw(tape.span(index)) }
        var text: [UInt8] = []
        tape.appendText(index, to: &text)
        return .text(text)
    }

    private static func timestamp(_ tape: JSONTape, _ index: JSONIndex) -> FieldValue? {
        if let time = time(tape, index) { return .time(time) }
        return tape.kind(index) == .string ? string(tape, index) : nil
    }

    /// A value of any type; one that holds a lone surrogate somewhere inside is written anew.
    private static func any(_ tape: JSONTape, _ index: JSONIndex) -> FieldValue {
        switch tape.kind(index) {
        case .null: .null
        case .string: string(tape, index)
        case .array, .object: tape.isClean(index) ? .raw(tape.span(index)) : .json(rewritten(tape, index))
        default: .raw(tape.span(index))
        }
    }

    /// The value with every text unescaped and written again, so that a lone surrogate becomes U+FFFD.
    private static func rewritten(_ tape: JSONTape, _ index: JSONIndex) -> [UInt8] {
        var writer = JSONWriter()
        rewrite(tape, index, &writer)
        return writer.bytes
    }

    private static func rewrite(_ tape: JSONTape, _ index: JSONIndex, _ writer: inout JSONWriter) {
        func text(_ index: JSONIndex) -> [UInt8] {
            var text: [UInt8] = []
            tape.appendText(index, to: &text)
            return text
        }
        switch tape.kind(index) {
        case .array:
            writer.beginArray()
            for element in tape.elements(index) { rewrite(tape, element, &writer) }
            writer.endArray()
        case .object:
            writer.beginObject()
            for (key, value) in tape.members(index) {
                writer.key(utf8: text(key))
                rewrite(tape, value, &writer)
            }
            writer.endObject()
        case .string: writer.string(utf8: text(index))
        default: writer.raw(tape, index)
        }
    }

    /// Reads a text in any form `Timestamp` knows, or a number of seconds or milliseconds since 1970.
    package static func time(_ tape: JSONTape, _ index: JSONIndex?) -> Timestamp? {
        guard let index else { return nil }
        switch tape.kind(index) {
        case .string:
            var text: [UInt8] = []
            tape.appendText(index, to: &text)
            return Timestamp(text: text)
        case .integer, .decimal:
            return tape.double(index).flatMap(Timestamp.init(epoch:))
        default:
            return nil
        }
    }
}

// MARK: personal and additional

extension EventDraft {
    /// The entries of `personal` or `additional`; nil when the sender had no such map.
    package func entries(_ field: EventField) -> [MapEntry]? {
        guard case .map(let entries) = self[field] else { return nil }
        return entries
    }

    /// Marks the map as present, with no entries yet.
    package mutating func begin(_ field: EventField) {
        if entries(field) == nil { self[field] = .map([]) }
    }

    /// Adds one entry; a key that is there already is overwritten.
    package mutating func add(_ field: EventField, key: [UInt8], _ tape: JSONTape, _ index: JSONIndex) {
        change(field) { entries in
            let value = Self.any(tape, index)
            if let position = entries.firstIndex(where: { $0.key == key }) {
                entries[position].value = value
            } else {
                entries.append(MapEntry(key: key, value: value))
            }
        }
    }

    /// Adds every member of an object. An empty list is an empty map (some senders' languages cannot tell them apart).
    /// The parser has refused duplicate keys, so members of the first object need no look-up.
    package mutating func addAll(_ field: EventField, _ tape: JSONTape, _ object: JSONIndex) {
        guard tape.kind(object) == .object || (tape.kind(object) == .array && tape.count(object) == 0) else { return }
        guard entries(field)?.isEmpty ?? true else {
            for (key, value) in tape.members(object) { add(field, key: Self.name(tape, key), tape, value) }
            return
        }
        change(field) { entries in
            entries.reserveCapacity(tape.count(object))
            for (key, value) in tape.members(object) {
                entries.append(MapEntry(key: Self.name(tape, key), value: Self.any(tape, value)))
            }
        }
    }

    private static func name(_ tape: JSONTape, _ key: JSONIndex) -> [UInt8] {
        var name: [UInt8] = []
        tape.appendText(key, to: &name)
        return name
    }

    /// Lends the map's entries to be changed in place.
    private mutating func change(_ field: EventField, _ body: (inout [MapEntry]) -> Void) {
        var entries = entries(field) ?? []
        // Until they are back the slot must not share their storage.
        self[field] = .absent
        body(&entries)
        self[field] = .map(entries)
    }
}

// MARK: reading back

extension EventDraft {
    /// The field's text without escapes; nil when absent, null, empty or not a text.
    package func text(_ field: EventField, in tape: JSONTape) -> [UInt8]? {
        let bytes: [UInt8]
        switch self[field] {
        case .absent, .null, .boolean, .json, .map: return nil
        case .text(let text): bytes = text
        case .quoted(let range): bytes = Array(tape.bytes[range])
        case .time(let time):
            var text: [UInt8] = []
            time.append(to: &text)
            bytes = text
        case .raw(let range): bytes = Self.unescaped(tape.bytes[range])
        }
        return bytes.isEmpty ? nil : bytes
    }

    /// The text of a JSON string token, or the token itself where it is no string.
    private static func unescaped(_ token: ArraySlice<UInt8>) -> [UInt8] {
        guard token.first == UInt8(ascii: "\"") else { return Array(token) }
        let inner = token.dropFirst().dropLast()
        guard inner.contains(UInt8(ascii: "\\")) else { return Array(inner) }
        let parser = JSONParser()
        guard let tape = try? parser.parse(Array(token)) else { return [] }
        var text: [UInt8] = []
        tape.appendText(tape.root, to: &text)
        return text
    }
}
