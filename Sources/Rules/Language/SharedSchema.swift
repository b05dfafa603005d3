internal import Events
internal import JSON

/// What files of routes and files of decisions have in common.
extension SchemaWriter {
    mutating func sharedSections() {
        object("conditions") {
            $0.member("description", "conditions by name, for `condition: NAME`")
            $0.map { $0.reference("condition") }
        }
        object("calendars") {
            $0.member("description", "calendars by name, for `time: {within: NAME}`")
            $0.map { $0.reference("calendar") }
        }
        object("lists") {
            $0.member("description", "lists of texts out of files by name, for `in_list: NAME`")
            $0.map { $0.reference("list") }
        }
    }

    mutating func tests(_ summary: String) {
        object("tests") {
            $0.member("description", summary)
            $0.list(atLeast: 0) { $0.reference("test") }
        }
    }

    /// What the sections' references lead to.
    mutating func sharedDefinitions() {
        conditionDefinitions()
        object("calendar") { $0.calendar() }
        object("list") { $0.list() }
        object("set") { $0.changes() }
    }

    mutating func ownName(_ summary: String) {
        object("name") {
            $0.member("description", summary)
            $0.member("type", "string")
            $0.count("minLength", 1)
            $0.count("maxLength", Owner.longestName)
        }
    }

    private mutating func calendar() {
        count("minProperties", 1)
        mapping {
            $0.object("days") {
                $0.member("description", "mon to sun, and ranges: mon-fri, or [mon, wed]; every day without it")
                $0.oneOrMany { $0.member("type", "string") }
            }
            for (name, summary) in [
                ("from", "when it begins"), ("to", "when it ends; earlier than `from`: the day after"),
            ] {
                $0.object(name) {
                    $0.member("description", summary + ", such as 08:00")
                    $0.member("type", "string")
                    $0.member("pattern", "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")
                }
            }
            $0.object("holidays") {
                $0.member("description", "dates that do not count, such as 2024-12-25")
                $0.oneOrMany(atLeast: 0) {
                    $0.member("type", "string")
                    $0.member("pattern", "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
                }
            }
            $0.text("zone", "a time zone such as Europe/London; the site's own without it")
        }
    }

    private mutating func list() {
        array("anyOf") {
            $0.object { $0.member("type", "string") }
            $0.object {
                $0.mapping(required: ["file"]) {
                    $0.text("file", "one entry a line, or a table; beside this file")
                    $0.text("column", "the name of the table's column that holds the entries")
                }
            }
        }
    }

    // MARK: Tests

    mutating func testedEvent() {
        text("name", "what is tested")
        object("given") {
            $0.member("description", "the event: one of sample, payload and event")
            $0.mapping {
                $0.text("sample", "VENDOR/EVENT, such as signinapp/visitor.signin")
                $0.property("set", "set", "the sample's fields that are changed")
                $0.object("payload") { $0.member("type", "object") }
                $0.object("source") {
                    $0.member("description", "the source that normalises the payload")
                    $0.name($0.environment?.sources)
                }
                $0.object("event") {
                    $0.member("description", "a canonical event")
                    $0.member("type", "object")
                }
            }
        }
    }

    private mutating func changes() {
        mapping {
            $0.object("event") { $0.name($0.eventTypes) }
            $0.text("time", "the event's time, such as 2024-07-30T09:00:00Z")
            $0.object("json") {
                $0.member("description", "values of the sender's own payload, by JSON pointer")
                $0.member("type", "object")
            }
            for node in FieldNode.root.children { $0.change(node) }
        }
    }

    private mutating func change(_ node: FieldNode) {
        object(node.name) {
            if let field = node.field {
                $0.member("description", field.summary)
                if field.kind == .map { $0.member("type", "object") }
                return
            }
            guard let meaning = node.meaning else {
                return $0.mapping { for child in node.children { $0.change(child) } }
            }
            $0.member("description", meaning.summary)
            $0.array("anyOf") {
                $0.object { $0.names("type", ["string", "number", "null"]) }
                $0.object { $0.mapping { for child in node.children { $0.change(child) } } }
            }
        }
    }
}
