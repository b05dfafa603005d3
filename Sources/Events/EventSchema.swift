internal import JSON

/// The JSON Schema (draft 2020-12) of a canonical event, made from the field table.
package enum EventSchema {
    package static var text: String {
        var writer = JSONWriter()
        writer.beginObject()
        pair("$schema", "https://json-schema.org/draft/2020-12/schema", &writer)
        pair("$id", "urn:gatehouse:event:1", &writer)
        pair("title", "A Gatehouse event: a CloudEvent 1.0 with visitor data", &writer)
        pair("type", "object", &writer)
        writer.key("required")
        writer.beginArray()
        for name in [
            "specversion", "id", "source", "type", "time", "datacontenttype", "dataschema", "partitionkey", "data",
        ] {
            writer.string(name)
        }
        writer.endArray()
        writer.key("properties")
        writer.beginObject()
        attributes(&writer)
        writer.key("data")
        data(&writer)
        writer.endObject()
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private static func attributes(_ writer: inout JSONWriter) {
        constant("specversion", "1.0", &writer)
        object("id", &writer) {
            pair("type", "string", &$0); pair("pattern", "^[0-9a-f]{32}$", &$0)
        }
        object("source", &writer) {
            pair("type", "string", &$0); pair("pattern", "^/sources/", &$0)
        }
        object("type", &writer) { writer in
            writer.key("enum")
            writer.beginArray()
            for type in CanonicalType.allCases { writer.string(type.rawValue) }
            writer.endArray()
        }
        object("subject", &writer) { pair("type", "string", &$0) }
        object("time", &writer) {
            pair("type", "string", &$0); pair("format", "date-time", &$0)
        }
        constant("datacontenttype", "application/json", &writer)
        constant("dataschema", "urn:gatehouse:event:1", &writer)
        object("partitionkey", &writer) { pair("type", "string", &$0) }
    }

    /// Nested objects as the table's paths have them; other members may be added later.
    private static func data(_ writer: inout JSONWriter) {
        var open: [String] = []
        writer.beginObject()
        pair("type", "object", &writer)
        writer.key("required")
        writer.strings(["vendor", "vendor_event", "source", "received_at", "original"])
        writer.key("properties")
        writer.beginObject()
        for field in EventField.allCases {
            let components = field.components.map(\.description)
            let parent = Array(components.dropLast())
            let common = zip(open, parent).prefix { $0 == $1 }.count
            for _ in open.dropFirst(common) {
                writer.endObject()
                writer.endObject()
            }
            open = Array(open.prefix(common))
            for name in parent.dropFirst(common) {
                writer.key(name)
                writer.beginObject()
                pair("type", "object", &writer)
                writer.key("properties")
                writer.beginObject()
                open.append(name)
            }
            object(components.last ?? "", &writer) { writer in
                pair("description", field.summary, &writer)
                type(field.kind, &writer)
            }
        }
        for _ in open {
            writer.endObject()
            writer.endObject()
        }
        object("original", &writer) { pair("description", "the sender's own payload", &$0) }
        writer.endObject()
        writer.endObject()
    }

    private static func type(_ kind: FieldKind, _ writer: inout JSONWriter) {
        switch kind {
        case .identifier, .text, .timestamp: types(["string", "null"], &writer)
        case .boolean: types(["boolean", "null"], &writer)
        case .number: types(["number", "null"], &writer)
        case .identifiers, .reasons: types(["array", "null"], &writer)
        case .map: pair("type", "object", &writer)
        case .any: break
        }
    }

    private static func types(_ names: [String], _ writer: inout JSONWriter) {
        writer.key("type")
        writer.strings(names)
    }

    private static func pair(_ key: String, _ value: String, _ writer: inout JSONWriter) {
        writer.key(key)
        writer.string(value)
    }

    private static func constant(_ name: String, _ value: String, _ writer: inout JSONWriter) {
        object(name, &writer) { pair("const", value, &$0) }
    }

    private static func object(_ name: String, _ writer: inout JSONWriter, _ fill: (inout JSONWriter) -> Void) {
        writer.key(name)
        writer.beginObject()
        fill(&writer)
        writer.endObject()
    }
}
