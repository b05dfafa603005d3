internal import JSON

/// Hides what an event tells about people, keeping its shape: a text becomes `***`, null stays null, absent stays absent.
/// What the field table does not know, `original` among it, is hidden whole.
package struct EventMask: ~Copyable {
    /// What stands in place of a value.
    package static let mark: StaticString = "***"

    private let parser = JSONParser()
    private static let fields = MaskNode.tree(EventField.allCases.map { ($0, $0.components.map(\.description)[...]) })

    package init() {}

    /// - Parameter payload: a canonical event's text.
    /// - Returns: nil when it is not one.
    package func masked(_ payload: [UInt8]) -> [UInt8]? {
        guard let tape = try? parser.parse(payload), let data = tape.member(tape.root, "data") else { return nil }
        var writer = JSONWriter(reserving: payload.count)
        writer.beginObject()
        for (key, value) in tape.members(tape.root) {
            writer.key(tape.text(key) ?? "")
            if value == data {
                Self.object(data, Self.fields, tape, &writer)
            } else {
                Self.open(value, tape, &writer)
            }
        }
        writer.endObject()
        return writer.bytes
    }

    private static func object(
        _ object: JSONIndex, _ nodes: [String: MaskNode], _ tape: JSONTape, _ writer: inout JSONWriter
    ) {
        guard tape.kind(object) == .object else { return hidden(object, tape, &writer) }
        writer.beginObject()
        for (key, value) in tape.members(object) {
            let name = tape.text(key) ?? ""
            writer.key(name)
            switch nodes[name] {
            case nil: hidden(value, tape, &writer)
            case .group(let children): self.object(value, children, tape, &writer)
            case .field(let field) where !field.isPersonal: open(value, tape, &writer)
            case .field(let field): hide(field, value, tape, &writer)
            }
        }
        writer.endObject()
    }

    /// A value that may be shown; a text that looks like an e-mail address is one, whatever field a sender put it in.
    private static func open(_ value: JSONIndex, _ tape: JSONTape, _ writer: inout JSONWriter) {
        if tape.kind(value) == .string, tape.text(value)?.utf8.contains(UInt8(ascii: "@")) ?? true {
            writer.string(mark)
        } else {
            writer.raw(tape, value)
        }
    }

    /// Lists and maps keep their elements and keys, which are names of questions.
    private static func hide(_ field: EventField, _ value: JSONIndex, _ tape: JSONTape, _ writer: inout JSONWriter) {
        switch (field.kind, tape.kind(value)) {
        case (.map, .object):
            writer.beginObject()
            for (key, entry) in tape.members(value) {
                writer.key(tape.text(key) ?? "")
                hidden(entry, tape, &writer)
            }
            writer.endObject()
        case (.identifiers, .array), (.reasons, .array):
            writer.beginArray()
            for element in tape.elements(value) { hidden(element, tape, &writer) }
            writer.endArray()
        default: hidden(value, tape, &writer)
        }
    }

    private static func hidden(_ value: JSONIndex, _ tape: JSONTape, _ writer: inout JSONWriter) {
        if tape.kind(value) == .null { writer.null() } else { writer.string(mark) }
    }
}

/// The field table as a tree of names.
private enum MaskNode: Sendable {
    case group([String: MaskNode])
    case field(EventField)

    static func tree(_ fields: [(field: EventField, rest: ArraySlice<String>)]) -> [String: MaskNode] {
        Dictionary(grouping: fields) { $0.rest.first ?? "" }.mapValues { members in
            if members.count == 1, let only = members.first, only.rest.count == 1 { return .field(only.field) }
            return .group(tree(members.map { ($0.field, $0.rest.dropFirst()) }))
        }
    }
}
