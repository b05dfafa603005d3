internal import JSON

/// Writes JSON Schema (draft 2020-12) as nested blocks of Swift.
struct SchemaWriter {
    let environment: RuleEnvironment?
    var json = JSONWriter(reserving: 64 << 10)

    init(environment: RuleEnvironment?) { self.environment = environment }

    mutating func object(_ body: (inout SchemaWriter) -> Void) {
        json.beginObject()
        body(&self)
        json.endObject()
    }

    mutating func object(_ name: String, _ body: (inout SchemaWriter) -> Void) {
        json.key(name)
        object(body)
    }

    mutating func array(_ name: String, _ body: (inout SchemaWriter) -> Void) {
        json.key(name)
        json.beginArray()
        body(&self)
        json.endArray()
    }

    mutating func member(_ name: String, _ value: String) {
        json.key(name)
        json.string(value)
    }

    mutating func count(_ name: String, _ value: Int) {
        json.key(name)
        json.integer(Int64(value))
    }

    mutating func names(_ name: String, _ values: [String]) {
        array(name) { writer in
            for value in values { writer.json.string(value) }
        }
    }

    /// Other keys than those of `properties` are wrong.
    mutating func closed() {
        json.key("additionalProperties")
        json.bool(false)
    }

    mutating func reference(_ definition: String) { member("$ref", "#/$defs/\(definition)") }

    /// A property that is one of the definitions.
    mutating func property(_ name: String, _ definition: String, _ summary: String) {
        object(name) {
            $0.member("description", summary)
            $0.reference(definition)
        }
    }

    mutating func text(_ name: String, _ summary: String) {
        object(name) {
            $0.member("description", summary)
            $0.member("type", "string")
        }
    }

    mutating func boolean(_ name: String, _ summary: String) {
        object(name) {
            $0.member("description", summary)
            $0.member("type", "boolean")
        }
    }

    /// A mapping with these keys and no others.
    mutating func mapping(required: [String] = [], _ properties: (inout SchemaWriter) -> Void) {
        member("type", "object")
        if !required.isEmpty { names("required", required) }
        closed()
        object("properties", properties)
    }

    /// A mapping from names to what the block describes.
    mutating func map(_ body: (inout SchemaWriter) -> Void) {
        member("type", "object")
        object("additionalProperties", body)
    }

    mutating func list(atLeast least: Int = 1, _ body: (inout SchemaWriter) -> Void) {
        member("type", "array")
        if least > 0 { count("minItems", least) }
        object("items", body)
    }

    mutating func oneOrMany(atLeast least: Int = 1, _ value: (inout SchemaWriter) -> Void) {
        array("anyOf") {
            $0.object { value(&$0) }
            $0.object { $0.list(atLeast: least) { value(&$0) } }
        }
    }

    /// A name, one of these where they are known.
    mutating func name(_ known: [String]?) {
        member("type", "string")
        if let known, !known.isEmpty { names("enum", known) }
    }
}
