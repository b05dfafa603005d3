internal import Events
internal import JSON

/// The JSON Schema (draft 2020-12) of files of decisions, as `RoutesSchema` is of files of routes.
package enum DecisionsSchema {
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
            $0.member("$id", "urn:gatehouse:decisions:1")
            $0.member("title", "Gatehouse decisions")
            $0.count("minProperties", 1)
            $0.mapping { $0.sections() }
            $0.object("$defs") {
                $0.object("decision") { $0.decision() }
                $0.object("message") { $0.decisionText() }
                $0.object("admit") { $0.answer(.admit) }
                $0.object("review") { $0.answer(.review) }
                $0.object("deny") { $0.answer(.deny) }
                $0.object("ask") { $0.mapping(required: ["target"]) { $0.question() } }
                $0.object("test") { $0.mapping(required: ["name", "given", "decision"]) { $0.decisionTest() } }
                $0.sharedDefinitions()
            }
        }
    }

    private mutating func sections() {
        object("decisions") {
            $0.member("description", "what becomes of visitors: the first that takes one rules")
            $0.list(atLeast: 0) { $0.reference("decision") }
        }
        object("default") {
            $0.member("description", "what becomes of whom no decision takes; deny without it; only in the main file")
            $0.outcomes()
        }
        sharedSections()
        tests("visitors, and what must be decided of them")
    }

    // MARK: Decisions

    private mutating func decision() {
        mapping(required: ["name"]) {
            $0.ownName("how events and messages name the decision; different for each")
            $0.text("description", "for people")
            $0.boolean("enabled", "false: checked, and otherwise left out")
            $0.property("when", "condition", "which visitors it takes; without it, every one")
            $0.property("admit", "admit", "they are let in")
            $0.property("review", "review", "a person looks at them first")
            $0.property("deny", "deny", "they are not let in")
            $0.property("ask", "ask", "another system decides")
        }
        array("oneOf") { writer in
            for ruling in DecisionReader.rulings { writer.object { $0.names("required", [ruling]) } }
        }
    }

    private mutating func outcomes() {
        member("type", "string")
        names("enum", DecisionOutcome.allCases.map(\.rawValue))
    }

    private mutating func decisionText() {
        names("type", ["string", "number", "boolean"])
        count("maxLength", DecisionText.longest)
    }

    /// Nothing, what people are told by its keys or, unless they are let in, a message by itself.
    private mutating func answer(_ outcome: DecisionOutcome) {
        array("anyOf") {
            $0.object { $0.member("type", "null") }
            if outcome != .admit { $0.object { $0.reference("message") } }
            $0.object {
                $0.mapping {
                    if outcome == .admit {
                        $0.property("visitor_notes", "message", "notes for the visitor; {field} is the field's value")
                    } else {
                        $0.property("message", "message", "what the visitor reads; {field} is the field's value")
                    }
                    $0.property("admin_notes", "message", "notes for those who look after the door")
                }
            }
        }
    }

    private mutating func question() {
        object("target") {
            $0.member("description", "a target of type http or webhook")
            $0.name($0.environment.map { ($0.askableTargets ?? Set($0.targets)).sorted() })
        }
        text("timeout", "how long its answer is waited for, such as 3s; as long as the deadline leaves without it")
        object("on_failure") {
            $0.member("description", "what rules when it does not answer as it should; deny without it")
            $0.array("anyOf") {
                $0.object { $0.outcomes() }
                $0.object {
                    $0.count("minProperties", 1)
                    $0.count("maxProperties", 1)
                    $0.mapping { writer in
                        for outcome in DecisionOutcome.allCases {
                            writer.object(outcome.rawValue) { $0.reference(outcome.rawValue) }
                        }
                    }
                }
            }
        }
    }

    // MARK: Tests

    private mutating func decisionTest() {
        testedEvent()
        object("decision") {
            $0.member("description", "what must be decided; ask: a target is asked")
            $0.member("type", "string")
            $0.names("enum", ExpectedDecision.allCases.map(\.rawValue))
        }
        text("message", "what the visitor must read, exactly")
    }
}
