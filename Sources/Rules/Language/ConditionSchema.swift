internal import Events
internal import JSON

/// The schema of conditions, and of what can be asked of each kind of field.
extension SchemaWriter {
    var eventTypes: [String] { CanonicalType.allCases.map(\.rawValue) }

    mutating func conditionDefinitions() {
        object("condition") { $0.mapping { $0.condition() } }
        for kind in TestKind.allCases { test(kind) }
        object("state") { $0.names("enum", FieldState.allCases.map(\.rawValue)) }
    }

    private mutating func condition() {
        property("event", "event", "what happened, such as visitor.signin, or visitor.* for all of a kind")
        for child in FieldNode.root.children { field(child) }
        property("time", "event_time", "the event's own time")
        object("json") {
            $0.member("description", "values of the sender's own payload, by JSON pointer such as /visitor/extra")
            $0.count("minProperties", 1)
            $0.object("propertyNames") { $0.member("pattern", "^(/|$)") }
            $0.map { $0.reference("value") }
        }
        for (name, summary) in [("any", "at least one of these holds"), ("all", "each of these holds")] {
            object(name) {
                $0.member("description", summary)
                $0.list { $0.reference("condition") }
            }
        }
        property("not", "condition", "this does not hold")
        object("condition") {
            $0.member("description", "one of `conditions:` holds, or one of a list of them")
            $0.oneOrMany { $0.member("type", "string") }
        }
    }

    private mutating func field(_ node: FieldNode) {
        guard let field = node.field else { return group(node) }
        guard field.kind == .map else { return property(node.name, TestKind(field).rawValue, field.summary) }
        object(node.name) {
            $0.member("description", field.summary)
            $0.count("minProperties", 1)
            $0.map { $0.reference("value") }
        }
    }

    /// Sub-fields; a site or group may also be a value by itself, or have operators beside its sub-fields.
    private mutating func group(_ node: FieldNode) {
        func fields(_ writer: inout SchemaWriter) {
            writer.count("minProperties", 1)
            writer.mapping {
                for child in node.children { $0.field(child) }
                if let meaning = node.meaning { $0.operators(TestKind(meaning)) }
            }
        }
        object(node.name) {
            guard let meaning = node.meaning else { return fields(&$0) }
            $0.member("description", meaning.summary)
            $0.array("anyOf") {
                $0.object { $0.value(TestKind(meaning)) }
                $0.object { $0.list { $0.value(TestKind(meaning)) } }
                $0.object { fields(&$0) }
            }
        }
    }

    // MARK: Tests of a field

    /// A value, a list of values, or operators: one definition for each kind of field.
    private mutating func test(_ kind: TestKind) {
        object(kind.rawValue) {
            $0.array("anyOf") {
                $0.object { $0.value(kind) }
                $0.object { $0.list { $0.value(kind) } }
                $0.object {
                    $0.count("minProperties", 1)
                    $0.mapping { $0.operators(kind) }
                }
            }
        }
    }

    private mutating func operators(_ kind: TestKind) {
        for operation in RuleOperator.allCases where operation.applies(to: kind.path) {
            object(operation.rawValue) {
                $0.member("description", operation.summary)
                $0.argument(operation, kind)
            }
        }
        if kind == .eventTime { text("zone", "the time zone of `within` and `outside`, such as Europe/London") }
    }

    private mutating func argument(_ operation: RuleOperator, _ kind: TestKind) {
        switch operation {
        case .not: reference(kind.rawValue)
        case .is: oneOrMany { $0.reference("state") }
        case .equals, .anyOf, .exactly: oneOrMany { $0.value(kind) }
        case .startsWith, .endsWith, .contains, .like, .matches, .domain, .cidr:
            oneOrMany { $0.names("type", ["string", "number"]) }
        case .inList: oneOrMany { $0.member("type", "string") }
        case .above, .atLeast, .below, .atMost: amount(kind)
        case .between:
            member("type", "array")
            count("minItems", 2)
            count("maxItems", 2)
            object("items") { $0.amount(kind) }
        case .within, .outside:
            oneOrMany {
                $0.array("anyOf") {
                    $0.object { $0.member("type", "string") }
                    $0.object { $0.reference("calendar") }
                }
            }
        }
    }

    private mutating func amount(_ kind: TestKind) {
        if kind.path.kind == .timestamp { member("type", "string") } else { names("type", ["number", "string"]) }
    }

    private mutating func value(_ kind: TestKind) {
        switch kind {
        case .boolean: member("type", "boolean")
        case .number: names("type", ["number", "string"])
        case .time, .eventTime: member("type", "string")
        case .text, .value: names("type", ["string", "number", "boolean"])
        case .event: name(eventTypes + ClosedValues.eventPrefixes.map { $0 + "*" })
        case .vendor: name(environment?.vendors)
        case .source: name(environment?.sources)
        case .siteKey: name(environment?.siteKeys)
        }
    }
}

/// The kinds of tests the schema tells apart.
enum TestKind: String, CaseIterable {
    case text, boolean, number, time, value, event, vendor, source
    case siteKey = "site_key"
    case eventTime = "event_time"

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

    /// A field of this kind.
    var path: FieldPath {
        switch self {
        case .text: .field(.visitorName)
        case .boolean: .field(.visitorReturning)
        case .number: .field(.faceAttempts)
        case .time: .field(.visitStartedAt)
        case .value: .entry(.personal, [])
        case .event: .event
        case .vendor: .field(.vendor)
        case .source: .field(.source)
        case .siteKey: .field(.siteKey)
        case .eventTime: .time
        }
    }
}
