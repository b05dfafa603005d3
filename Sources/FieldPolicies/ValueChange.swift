internal import Events
internal import JSON

/// What a field policy does to one value.
package enum ValueChange: Sendable {
    case remove
    case hash(PseudonymKey)
    /// To at most so many characters.
    case truncate(Int)
    case coarsen(Coarseness)
}

/// A value after a change.
enum ChangedValue {
    /// As it stands.
    case same
    case absent
    case text(String)
    case json([UInt8])
}

extension ValueChange {
    /// Whether it can be done to a field of this kind, named by itself.
    func fits(_ field: EventField) -> Bool {
        switch self {
        case .remove: true
        case .hash, .truncate:
            switch field.kind {
            case .identifier, .text, .identifiers, .reasons, .map, .any: true
            case .boolean, .number, .timestamp: false
            }
        case .coarsen(.network): field == .deviceIP
        case .coarsen: field.kind == .timestamp
        }
    }

    /// Null and an empty text say nothing and stay. A list or an object that is no list of texts by its kind is hashed
    /// whole and never cut: nobody knows what its keys say.
    func applied(to tape: JSONTape, _ value: JSONIndex, _ kind: FieldKind) -> ChangedValue {
        if case .remove = self { return .absent }
        switch tape.kind(value) {
        case .null: return .same
        case .array where kind == .identifiers || kind == .reasons: return elements(tape, value, kind)
        case .array, .object:
            guard case .hash(let key) = self else { return .absent }
            return .text(key.pseudonym(of: Array(tape.bytes[tape.span(value)])))
        default: return scalar(tape, value, kind)
        }
    }

    private func scalar(_ tape: JSONTape, _ value: JSONIndex, _ kind: FieldKind) -> ChangedValue {
        guard let text = tape.scalarText(value) else { return .absent }
        guard !text.isEmpty else { return .same }
        switch self {
        case .remove: return .absent
        case .hash(let key):
            let isExact = kind == .identifier || kind == .identifiers
            return .text(key.pseudonym(of: Array((isExact ? text : text.folded).utf8)))
        case .truncate(let length):
            return text.count <= length ? .same : .text(String(text.prefix(length)))
        case .coarsen(let coarseness):
            return coarseness.coarsened(text).map(ChangedValue.text) ?? .absent
        }
    }

    /// A list of texts, or of objects of texts such as `{name, reason}`.
    private func elements(_ tape: JSONTape, _ list: JSONIndex, _ kind: FieldKind) -> ChangedValue {
        var writer = JSONWriter()
        writer.beginArray()
        for element in tape.elements(list) {
            guard tape.kind(element) == .object else {
                write(scalarOrNothing(tape, element, kind), tape, element, key: nil, to: &writer)
                continue
            }
            writer.beginObject()
            for (key, member) in tape.members(element) {
                write(scalarOrNothing(tape, member, kind), tape, member, key: key, to: &writer)
            }
            writer.endObject()
        }
        writer.endArray()
        return .json(writer.bytes)
    }

    private func scalarOrNothing(_ tape: JSONTape, _ value: JSONIndex, _ kind: FieldKind) -> ChangedValue {
        switch tape.kind(value) {
        case .array, .object: .absent
        case .null: .same
        default: scalar(tape, value, kind)
        }
    }

    private func write(
        _ changed: ChangedValue, _ tape: JSONTape, _ value: JSONIndex, key: JSONIndex?, to writer: inout JSONWriter
    ) {
        if case .absent = changed { return }
        if let key { writer.key(tape.text(key) ?? "") }
        changed.write(insteadOf: tape, value, to: &writer)
    }
}

extension ChangedValue {
    /// What is absent is for the caller to leave out.
    func write(insteadOf tape: JSONTape, _ value: JSONIndex, to writer: inout JSONWriter) {
        switch self {
        case .same: writer.raw(tape, value)
        case .absent: writer.null()
        case .text(let text): writer.string(text)
        case .json(let json): writer.raw(json)
        }
    }
}
