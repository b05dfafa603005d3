internal import Events
internal import JSON

/// The JSON Schema (draft 2020-12) of files of routes, made from the field table and the operators, so that editors
/// complete and check them.
package enum RoutesSchema {
    /// - Parameter environment: where given, the names of sources, vendors, sites and targets are completed too.
    package static func text(environment: RuleEnvironment? = nil) -> [UInt8] {
        var writer = SchemaWriter(environment: environment)
        writer.file()
        return writer.json.bytes
    }
}

extension SchemaWriter {
    fileprivate mutating func file() {
        object {
            $0.member("$schema", "https://json-schema.org/draft/2020-12/schema")
            $0.member("$id", "urn:gatehouse:routes:1")
            $0.member("title", "Gatehouse routes")
            $0.count("minProperties", 1)
            $0.mapping { $0.sections() }
            $0.object("$defs") {
                $0.object("route") { $0.mapping(required: ["name"]) { $0.route() } }
                $0.object("test") { $0.mapping(required: ["name", "given"]) { $0.test() } }
                $0.sharedDefinitions()
            }
        }
    }

    private mutating func sections() {
        object("routes") {
            $0.member("description", "which events go to which targets")
            $0.list(atLeast: 0) { $0.reference("route") }
        }
        object("defaults") {
            $0.member(
                "description", "what routes of this file say unless they say it themselves; `when` holds beside theirs")
            $0.mapping { $0.routeKeys() }
        }
        property("scope", "condition", "what every route of this file is confined to")
        sharedSections()
        tests("events, and where they must go")
    }

    // MARK: Routes

    private mutating func route() {
        ownName("how deliveries and messages name the route; different for each")
        routeKeys()
    }

    private mutating func routeKeys() {
        text("description", "for people")
        boolean("enabled", "false: checked, and otherwise left out")
        boolean("unmatched", "true: takes what no other route took; only in the main files")
        property("when", "condition", "which events it takes; without it, every event")
        object("to") {
            $0.member("description", "the targets its events go to")
            $0.oneOrMany { $0.name($0.environment?.targets) }
        }
    }

    private mutating func test() {
        testedEvent()
        object("to") {
            $0.member("description", "exactly the targets it goes to; [] for none")
            $0.oneOrMany(atLeast: 0) { $0.name($0.environment?.targets) }
        }
        object("routes") {
            $0.member("description", "exactly the routes that take it; [] for none")
            $0.oneOrMany(atLeast: 0) { $0.member("type", "string") }
        }
    }
}
