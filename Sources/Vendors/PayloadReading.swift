import Cryptography
import Events
import JSON

extension JSONTape {
    /// A member of an object that may itself be missing.
    subscript(_ object: JSONIndex?, _ name: StaticString) -> JSONIndex? {
        object.flatMap { member($0, name) }
    }

    /// The first of the places that is there.
    func first(of pointers: [JSONPointer], in element: JSONIndex) -> JSONIndex? {
        for pointer in pointers {
            if let found = value(at: pointer, from: element) { return found }
        }
        return nil
    }

    /// A scalar's text, unescaped; nil for null, lists, objects and an empty text.
    func nonEmptyText(_ index: JSONIndex?) -> [UInt8]? {
        guard let index else { return nil }
        switch kind(index) {
        case .null, .array, .object: return nil
        default: break
        }
        var text: [UInt8] = []
        appendText(index, to: &text)
        return text.isEmpty ? nil : text
    }

    /// SHA-256 over the value's bytes as received, in hex.
    func hash(of index: JSONIndex) -> [UInt8] {
        let span = span(index)
        return Hex.encodedBytes(
            unsafe bytes.withUnsafeBytes { unsafe SHA256.hash(UnsafeRawBufferPointer(rebasing: $0[span])) })
    }

    /// Parts of a dedupe key joined by one line feed; a missing part is empty.
    func dedupeKey(_ parts: [JSONIndex?], hashOf element: JSONIndex? = nil) -> [UInt8] {
        var texts = parts.map { nonEmptyText($0) ?? [] }
        if let element { texts.append(hash(of: element)) }
        return Array(texts.joined(separator: [0x0A]))
    }
}

extension EventDraft {
    /// A name from its two halves, one space between them; either may be missing.
    mutating func setName(_ field: EventField, _ tape: JSONTape, first: JSONIndex?, last: JSONIndex?) {
        let halves = [first, last].compactMap { tape.nonEmptyText($0) }
        guard !halves.isEmpty else { return }
        self[field] = .text(Array(halves.joined(separator: [0x20])))
    }

    /// Sets several fields from members of one object.
    mutating func set(_ tape: JSONTape, from object: JSONIndex?, _ members: [(EventField, StaticString)]) {
        guard let object, tape.kind(object) == .object else { return }
        for (field, name) in members { set(field, tape, tape.member(object, name)) }
    }
}
