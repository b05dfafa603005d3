internal import Events
internal import JSON

/// The JSON Schema (draft 2020-12) of files of routes, made from the field table, so that editors complete and check
/// them.
package enum RoutesSchema {
    /// - Parameter environment: where given, the names of sources, vendors, sites and targets are completed too.
    package static func text(environment: RuleEnvironment? = nil) -> [UInt8] {
        var writer = SchemaWriter(environment: environment)
        writer.write()
        return writer.json.bytes
    }
}

private struct SchemaWriter {
    let environment: RuleEnvironment?
    var json = JSONWriter(reserving: 16 << 10)

    init(environment: RuleEnvironment?) { self.environment = environment }

    mutating func write() {
        object {
            $0.member("$schema", "https://json-schema.org/draft/2020-12/schema")
            $0.member("$id", "urn:gatehouse:routes:1")
            $0.member("title", "Gatehouse routes")
            $0.member("type", "object")
            $0.names("required", ["routes"])
            $0.closed()
            $0.object("properties") {
                $0.object("routes") {
                    $0.member("type", "array")
                    $0.object("items") { $0.member("$ref", "#/$defs/route") }
                }
            }
            $0.object("$defs") {
                $0.route()
                $0.condition()
                $0.tests()
                $0.state()
            }
        }
    }

    // MARK: Routes

    private mutating func route() {
        object("route") {
            $0.member("type", "object")
            $0.names("required", ["name", "to"])
            $0.closed()
            $0.object("properties") {
                $0.object("name") {
                    $0.member("description", "how deliveries and messages name the route; different for each")
                    $0.member("type", "string")
                    $0.json.key("minLength")
                    $0.json.integer(1)
                    $0.json.key("maxLength")
                    $0.json.integer(128)
                }
                $0.object("description") { $0.member("type", "string") }
                $0.object("enabled") {
                    $0.member("description", "false: checked, and otherwise left out")
                    $0.member("type", "boolean")
                }
                $0.object("when") {
                    $0.member("description", "which events it takes; without it, every event")
                    $0.member("$ref", "#/$defs/condition")
                }
                $0.object("to") {
                    $0.member("description", "the targets its events go to")
                    $0.oneOrMany { $0.scalar(names: $0.environment?.targets) }
                }
            }
        }
    }

    private mutating func condition() {
        object("condition") {
            $0.member("type", "object")
            $0.closed()
            $0.object("properties") {
                $0.test("event", "event", "what happened, such as visitor.signin, or visitor.* for all of a kind")
                for child in FieldNode.root.children { $0.field(child) }
                for (name, summary) in [("any", "at least one of these holds"), ("all", "each of these holds")] {
                    $0.object(name) {
                        $0.member("description", summary)
                        $0.member("type", "array")
                        $0.json.key("minItems")
                        $0.json.integer(1)
                        $0.object("items") { $0.member("$ref", "#/$defs/condition") }
                    }
                }
                $0.object("not") {
                    $0.member("description", "this does not hold")
                    $0.member("$ref", "#/$defs/condition")
                }
            }
        }
    }

    private mutating func field(_ node: FieldNode) {
        guard let field = node.field else { return group(node) }
        switch field.kind {
        case .map:
            object(node.name) {
                $0.member("description", field.summary)
                $0.member("type", "object")
                $0.json.key("minProperties")
                $0.json.integer(1)
                $0.object("additionalProperties") { $0.member("$ref", "#/$defs/value") }
            }
        default:
            test(node.name, TestKind(field).rawValue, field.summary)
        }
    }

    /// Sub-fields; a site or group may also be a value by itself, or have operators beside its sub-fields.
    private mutating func group(_ node: FieldNode) {
        func fields(_ writer: inout SchemaWriter) {
            writer.member("type", "object")
            writer.closed()
            writer.json.key("minProperties")
            writer.json.integer(1)
            writer.object("properties") {
                for child in node.children { $0.field(child) }
                if let meaning = node.meaning { $0.operators(TestKind(meaning)) }
            }
        }
        object(node.name) {
            guard let meaning = node.meaning else { return fields(&$0) }
            $0.member("description", meaning.summary)
            $0.array("anyOf") {
                $0.object { $0.value(TestKind(meaning)) }
                $0.object { $0.list(TestKind(meaning)) }
                $0.object { fields(&$0) }
            }
        }
    }

    private mutating func test(_ name: String, _ definition: String, _ summary: String) {
        object(name) {
            $0.member("description", summary)
            $0.member("$ref", "#/$defs/\(definition)")
        }
    }

    // MARK: Tests of a field

    /// A value, a list of values, or operators: one definition for each kind of field.
    private mutating func tests() {
        for kind in TestKind.allCases {
            object(kind.rawValue) {
                $0.array("anyOf") {
                    $0.object { $0.value(kind) }
                    $0.object { $0.list(kind) }
                    $0.object {
                        $0.member("type", "object")
                        $0.closed()
                        $0.json.key("minProperties")
                        $0.json.integer(1)
                        $0.object("properties") { $0.operators(kind) }
                    }
                }
            }
        }
    }

    private mutating func operators(_ kind: TestKind) {
        for operation in RuleOperator.available where operation != .exactly || kind.isText {
            object(operation.rawValue) {
                $0.member("description", operation.summary)
                switch operation {
                case .not: $0.member("$ref", "#/$defs/\(kind.rawValue)")
                case .is: $0.oneOrMany { $0.member("$ref", "#/$defs/state") }
                default: $0.oneOrMany { $0.value(kind) }
                }
            }
        }
    }

    private mutating func value(_ kind: TestKind) {
        switch kind {
        case .boolean: member("type", "boolean")
        case .number: names("type", ["number", "string"])
        case .time: member("type", "string")
        case .text, .value: names("type", ["string", "number", "boolean"])
        case .event: scalar(names: CanonicalType.allCases.map(\.rawValue) + ClosedValues.eventPrefixes.map { $0 + "*" })
        case .vendor: scalar(names: environment?.vendors)
        case .source: scalar(names: environment?.sources)
        case .siteKey: scalar(names: environment?.siteKeys)
        }
    }

    private mutating func list(_ kind: TestKind) {
        member("type", "array")
        json.key("minItems")
        json.integer(1)
        object("items") { $0.value(kind) }
    }

    private mutating func state() {
        object("state") { $0.names("enum", FieldState.allCases.map(\.rawValue)) }
    }

    /// A name, one of these where they are known.
    private mutating func scalar(names: [String]?) {
        member("type", "string")
        if let names, !names.isEmpty { self.names("enum", names) }
    }

    private mutating func oneOrMany(_ value: (inout SchemaWriter) -> Void) {
        array("anyOf") {
            $0.object { value(&$0) }
            $0.object {
                $0.member("type", "array")
                $0.json.key("minItems")
                $0.json.integer(1)
                $0.object("items") { value(&$0) }
            }
        }
    }

    // MARK: JSON

    private mutating func object(_ body: (inout SchemaWriter) -> Void) {
        json.beginObject()
        body(&self)
        json.endObject()
    }

    private mutating func object(_ name: String, _ body: (inout SchemaWriter) -> Void) {
        json.key(name)
        object(body)
    }

    private mutating func array(_ name: String, _ body: (inout SchemaWriter) -> Void) {
        json.key(name)
        json.beginArray()
        body(&self)
        json.endArray()
    }

    private mutating func member(_ name: String, _ value: String) {
        json.key(name)
        json.string(value)
    }

    private mutating func names(_ name: String, _ values: [String]) {
        array(name) { writer in
            for value in values { writer.json.string(value) }
        }
    }

    private mutating func closed() {
        json.key("additionalProperties")
        json.bool(false)
    }
}

/// The kinds of tests the schema tells apart.
private enum TestKind: String, CaseIterable {
    case text, boolean, number, time, value, event, vendor, source
    case siteKey = "site_key"

    init(_ field: EventField) {
        self =
            switch field {
            case .vendor: .vendor
            case .source: .source
            case .siteKey: .siteKey
            default:
                switch field.kind {
                case .text, .identifier, .identifiers, .reasons: .text
                case .boolean: .boolean
                case .number: .number
                case .timestamp: .time
                case .any, .map: .value
                }
            }
    }

    var isText: Bool {
        switch self {
        case .boolean, .number, .time: false
        default: true
        }
    }
}
