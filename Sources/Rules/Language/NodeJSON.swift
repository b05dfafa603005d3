internal import JSON
internal import YAML

/// JSON as people write it in YAML, in `payload:`, `event:` and `set:`: an unquoted scalar that is a JSON literal has
/// that JSON type, everything else is a text.
enum NodeJSON {
    /// The value as JSON text; nil, and an error, where nothing is written.
    static func text(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> [UInt8]? {
        var writer = JSONWriter()
        return write(node, &writer, &diagnostics) ? writer.bytes : nil
    }

    private static func write(
        _ node: YAMLNode, _ writer: inout JSONWriter, _ diagnostics: inout Diagnostics
    ) -> Bool {
        var isWhole = true
        switch node.content {
        case .scalar(let scalar):
            return write(scalar, at: node.location, &writer, &diagnostics)
        case .sequence(let elements):
            writer.beginArray()
            for element in elements where !write(element, &writer, &diagnostics) { isWhole = false }
            writer.endArray()
        case .mapping(let entries):
            writer.beginObject()
            for entry in entries {
                writer.key(entry.name)
                if !write(entry.value, &writer, &diagnostics) { isWhole = false }
            }
            writer.endObject()
        }
        return isWhole
    }

    private static func write(
        _ scalar: YAMLScalar, at location: SourceLocation, _ writer: inout JSONWriter,
        _ diagnostics: inout Diagnostics
    ) -> Bool {
        guard scalar.isPlain else {
            writer.string(scalar.text)
            return true
        }
        switch scalar.text {
        case "null": writer.null()
        case "true": writer.bool(true)
        case "false": writer.bool(false)
        case "":
            diagnostics.error(at: location, "nothing is written here; write \"\" for an empty text, or null")
            writer.null()
            return false
        default:
            if DecimalNumber.canonical(scalar.text.utf8) != nil {
                writer.raw(Array(scalar.text.utf8))
            } else {
                writer.string(scalar.text)
            }
        }
        return true
    }
}
