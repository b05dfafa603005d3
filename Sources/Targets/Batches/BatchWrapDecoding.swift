import JSON
import YAML

extension BatchWrap {
    private static let names = ["array", "ndjson", "concatenated"]

    /// Reads `wrap` and `before` of `batch:`. Nil when neither is there, or an error was reported.
    /// - Parameter policy: nil for a type without templates.
    init?(_ reader: inout MappingReader, templates policy: ContentPolicy?, _ diagnostics: inout Diagnostics) {
        let wrapNode = reader.optional("wrap")
        let beforeNode = reader.optional("before")
        let name = wrapNode?.scalar?.text
        if let beforeNode {
            if policy == nil {
                diagnostics.error(at: beforeNode.location, "only an http target writes lines of its own between events")
            } else if name != "ndjson" {
                diagnostics.error(at: beforeNode.location, "`before:` is a line, and needs `wrap: ndjson`")
            }
        }
        guard let wrapNode else { return nil }
        guard wrapNode.scalar != nil else {
            self.init(enclosing: wrapNode, &diagnostics)
            return
        }
        switch wrapNode.choice(of: Self.names, &diagnostics) {
        case "array": self = .array
        case "concatenated": self = .concatenated
        case "ndjson":
            guard let beforeNode, let policy else {
                self = .ndjson(before: nil)
                return
            }
            guard let template = BodyTemplate(beforeNode, policy, &diagnostics) else { return nil }
            self = .ndjson(before: template)
        default: return nil
        }
    }

    /// A template with one place for the list of events.
    private init?(enclosing node: YAMLNode, _ diagnostics: inout Diagnostics) {
        guard let template = BodyTemplate(wrap: node, &diagnostics) else { return nil }
        var writer = JSONWriter()
        var places: [Int] = []
        template.writeWrap(&writer, &places)
        guard places.count == 1 else {
            diagnostics.error(
                at: node.location,
                places.isEmpty
                    ? "this has no place for the events: let a value be \"{events}\"" : "the events stand here twice")
            return nil
        }
        self = .enclosed(opening: Array(writer.bytes[..<places[0]]), closing: Array(writer.bytes[places[0]...]))
    }
}

extension BodyTemplate {
    /// Writes what is the same for all events.
    /// - Parameter places: where the list of events goes.
    fileprivate func writeWrap(_ writer: inout JSONWriter, _ places: inout [Int]) {
        switch self {
        case .object(let members):
            writer.beginObject()
            for member in members {
                writer.key(member.name)
                member.value.writeWrap(&writer, &places)
            }
            writer.endObject()
        case .array(let elements):
            writer.beginArray()
            for element in elements { element.writeWrap(&writer, &places) }
            writer.endArray()
        case .literal(let text): writer.raw(text)
        case .text(let pieces, _):
            var text: [UInt8] = []
            for case .literal(let literal) in pieces { text.append(contentsOf: literal) }
            writer.string(utf8: text)
        case .events:
            // Nothing, after the comma that belongs before it.
            writer.raw([UInt8]())
            places.append(writer.bytes.count)
        case .value: break
        }
    }
}
