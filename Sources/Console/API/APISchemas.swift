internal import Delivery
internal import Events
internal import Targets

/// The JSON Schemas (draft 2020-12) of what the API answers with. Every member is always there; what may be null says so.
enum APISchemas {
    /// By their names, in the order of the description.
    static let all: [(name: String, text: String)] = [
        ("Event", EventSchema.text), ("Delivery", delivery),
        ("DeliveryHistory", deliveryHistory), ("Refusal", refusal), ("Quarantined", quarantined),
        ("Target", target), ("Route", route), ("Team", team), ("Balance", balance), ("Trace", trace),
        ("DeadLetter", object(deadLetterMembers, optional: [("replay", integer)])),
        (
            "WholeDeadLetter",
            object(
                deadLetterMembers + [("response", string), ("payload", #"{"type": ["object", "string", "null"]}"#)],
                optional: [("replay", integer)])
        ),
        ("Replay", object(replayMembers)), ("ReplayRehearsal", rehearsal),
        ("Explanation", explanation), ("Finding", finding), ("TargetTest", targetTest),
        ("Done", object([("done", integer)], optional: [("waiting", integer), ("kept", integer)])),
        ("AuditEntry", auditEntry),
        ("Problem", problem),
        ("Description", #"{"type": "object"}"#),
    ]

    private static let string = #"{"type": "string"}"#
    private static let optionalString = #"{"type": ["string", "null"]}"#
    private static let integer = #"{"type": "integer"}"#
    private static let optionalInteger = #"{"type": ["integer", "null"]}"#
    private static let boolean = #"{"type": "boolean"}"#
    private static let strings = #"{"type": "array", "items": {"type": "string"}}"#
    private static let moment = #"{"type": "string", "format": "date-time"}"#
    private static let optionalMoment = #"{"type": ["string", "null"], "format": "date-time"}"#
    private static let eventID = #"{"type": "string", "pattern": "^[0-9a-f]{32}$"}"#
    private static let state = choice(DeliveryState.allCases.map(\.name))

    private static let lastAttempt = object([
        ("at", moment), ("status", optionalInteger), ("reason", optionalString), ("duration_ms", integer),
    ])

    private static let deliveryMembers = [
        ("event", eventID), ("type", string), ("source", string), ("received_at", moment), ("target", string),
        ("state", state), ("attempts", integer), ("last", #"{"anyOf": [{"type": "null"}, \#(lastAttempt)]}"#),
        ("next_at", optionalMoment), ("routes", strings),
    ]

    private static let delivery = object(
        deliveryMembers, optional: [("reason", string), ("plan", string), ("replay", integer)])

    private static let deliveryHistory = object(
        deliveryMembers + [
            ("history", list(of: object(attemptMembers + [("response", answer), ("request", request)])))
        ],
        optional: [("reason", string), ("plan", string), ("replay", integer)])

    private static let attemptMembers = [
        ("number", integer), ("at", moment), ("duration_ms", integer), ("status", optionalInteger),
        ("reason", optionalString),
    ]

    private static let headers = list(of: object([("name", string), ("value", string)]))

    private static let answer = orNull(object([("headers", headers), ("body", string), ("cut", boolean)]))

    private static let request = orNull(
        object([
            ("reproducible", boolean), ("why", optionalString),
            ("sha256", #"{"type": "string", "pattern": "^[0-9a-f]{64}$"}"#), ("batch", boolean),
            ("method", optionalString), ("url", optionalString), ("headers", headers), ("body", optionalString),
            ("cut", boolean),
        ]))

    private static let targetTest = object([
        ("target", string), ("type", string), ("event", eventID), ("delivered", boolean), ("duration_ms", integer),
        ("status", optionalInteger), ("reason", optionalString), ("message", optionalString),
        ("advice", optionalString),
        (
            "request",
            orNull(
                object([
                    ("destination", string), ("method", optionalString), ("headers", headers), ("body", string),
                ]))
        ),
        ("answer", answer),
    ])

    private static let explanation = object([
        (
            "event",
            object(["id", "type", "time", "source", "site"].map { ($0, optionalString) })
        ),
        ("plan", string), ("decision", orNull(decided)),
        (
            "routes",
            list(
                of: object([
                    ("name", string), ("team", optionalString),
                    ("outcome", choice(["taken", "not_taken", "failed", "disabled"])), ("reason", string),
                    ("unmatched", boolean), ("to", strings), ("file", string), ("line", integer), ("column", integer),
                    ("scope", orNull(findingReference)), ("when", findingReference),
                ]))
        ),
        (
            "targets",
            list(
                of: object([
                    ("target", string), ("routes", strings),
                    (
                        "sends",
                        object(
                            [],
                            optional: [
                                ("filtered", string), ("error", string), ("destination", string), ("method", string),
                                ("headers", headers),
                                ("batch", boolean), ("size", integer), ("bytes", string),
                            ])
                    ),
                ]))
        ),
    ])

    private static let recordedDecision = orNull(
        object([("outcome", string), ("reason", optionalString)]))

    private static let decided = object([
        ("recorded", recordedDecision),
        (
            "today",
            orNull(
                object(
                    [
                        ("outcome", choice(DecisionOutcome.allCases.map(\.rawValue) + ["ask"])),
                        ("decision", optionalString), ("undecided", boolean), ("reasons", strings),
                        ("answer", orNull(object([("status", integer), ("body", string)]))),
                        (
                            "before",
                            list(
                                of: object([
                                    ("decision", string), ("file", string), ("line", integer), ("column", integer),
                                    ("reason", optionalString),
                                ]))
                        ),
                    ],
                    optional: [
                        ("message", string), ("visitor_notes", string), ("admin_notes", string), ("target", string),
                    ]))
        ),
    ])

    private static let findingReference = ##"{"$ref": "#/components/schemas/Finding"}"##

    private static let finding = object(
        [("answer", #"{"type": ["boolean", "null"]}"#)],
        optional: [
            ("all", list(of: findingReference)), ("any", list(of: findingReference)), ("not", findingReference),
            ("condition", string), ("is", findingReference), ("field", string), ("expected", string),
            ("found", optionalString), ("state", choice(["absent", "null", "empty", "blank", "present"])),
            ("notes", strings), ("file", string), ("line", integer), ("column", integer),
        ])

    private static let refusal = object([
        ("at", moment), ("source", optionalString), ("address", optionalString), ("code", string), ("detail", string),
        ("size", optionalInteger), ("sha256", optionalString),
    ])

    private static let quarantined = object([
        ("source", string), ("index", integer), ("received_at", moment), ("reason", string), ("size", integer),
        ("sha256", string),
    ])

    private static let filteredBy = object(
        (["no_route"] + FilteredReason.allCases.map(\.rawValue)).map { ($0, integer) })

    private static let counters = [
        ("delivered", integer), ("filtered", integer), ("pending", integer), ("dead", integer), ("discarded", integer),
        ("expired", integer), ("before_start", integer), ("repeated", integer),
    ]

    private static let target = object(
        [("name", string), ("type", string), ("destination", string), ("description", optionalString)]
            + [("state", string), ("reason", optionalString), ("until", optionalMoment)] + counters
            + [
                ("filtered_by", filteredBy), ("in_flight", integer), ("open", integer), ("sent", integer),
                ("lag_events", integer),
                ("lag_seconds", #"{"type": "number"}"#), ("last_error", optionalString),
            ])

    private static let route = object([
        ("name", string), ("team", optionalString), ("file", string), ("line", integer), ("targets", strings),
        ("enabled", boolean), ("unmatched", boolean), ("description", optionalString), ("since", optionalMoment),
        ("kept", boolean), ("residual", boolean), ("errors", optionalInteger),
    ])

    private static let team = object([
        ("name", string), ("state", choice(["current", "kept", "refused"])), ("since", optionalMoment),
        ("routes", integer), ("files", strings), ("targets", strings), ("errors", integer), ("error", optionalString),
    ])

    private static let balance = object(
        [
            ("balanced", boolean), ("accepted", integer), ("duplicates", integer), ("quarantined", integer),
            ("targets", #"{"type": "object", "additionalProperties": \#(object(counters))}"#),
            (
                "replays",
                #"{"type": "object", "additionalProperties": \#(object([("target", string), ("state", replayState)] + replayCounters))}"#
            ),
        ], optional: [("spooled", integer)])

    private static let replayState = choice(ReplayState.allCases.map(\.rawValue))

    private static let replayCounters = [
        ("events", integer), ("delivered", integer), ("filtered", integer), ("skipped", integer),
        ("pending", integer), ("dead", integer), ("discarded", integer), ("expired", integer), ("left", integer),
    ]

    private static let replayMembers =
        [
            ("replay", integer), ("target", string), ("state", replayState), ("reason", optionalString),
            ("since", moment), ("until", optionalMoment), ("route", optionalString), ("where", optionalString),
            ("team", optionalString), ("decode_again", boolean), ("by", string), ("created_at", moment),
            ("ended_at", optionalMoment),
        ] + replayCounters + [("filtered_by", filteredBy)]

    private static let rehearsal = object([
        ("events", integer), ("taken", integer), ("filtered", integer), ("skipped", integer), ("retyped", integer),
        ("reasons", #"{"type": "object", "additionalProperties": {"type": "integer"}}"#),
        ("list", #"{"type": "array", "items": \#(rehearsedEvent)}"#), ("next", optionalString),
    ])

    private static let rehearsedEvent = object([
        ("event", eventID), ("source", string), ("received_at", moment), ("type", string), ("was", optionalString),
        ("routes", strings),
    ])

    private static let trace = object([
        ("event", eventID), ("found_by", string), ("type", string), ("source", string), ("vendor", optionalString),
        ("vendor_event", optionalString), ("subject", optionalString), ("site", optionalString),
        ("time", optionalMoment), ("time_inferred", boolean), ("received_at", moment), ("erased", boolean),
        ("size", integer), ("fields", strings), ("decision", recordedDecision),
        ("verified_by", object([("how", string), ("secret", optionalString), ("secrets", strings)])),
        ("targets", #"{"type": "array", "items": \#(tracedTarget)}"#),
    ])

    private static let tracedTarget = object(
        deliveryMembers + [("history", list(of: object(attemptMembers))), ("next", string)],
        optional: [("reason", string), ("plan", string), ("replay", integer)])

    private static let deadLetterMembers = [
        ("id", integer), ("event", eventID), ("target", string), ("at", moment), ("reason", string),
        ("attempts", integer), ("status", optionalInteger), ("message", string), ("type", string), ("source", string),
        ("received_at", moment), ("routes", strings),
    ]

    private static let auditEntry = object([
        ("at", moment), ("actor", string), ("action", string), ("subject", optionalString), ("detail", optionalString),
    ])

    private static let problem = object(
        [("type", string), ("title", string), ("status", integer), ("code", string)], optional: [("detail", string)])

    private static func object(_ members: [(String, String)], optional: [(String, String)] = []) -> String {
        let required = members.map { "\"\($0.0)\"" }.joined(separator: ", ")
        let properties = (members + optional).map { "\"\($0.0)\": \($0.1)" }.joined(separator: ", ")
        return #"{"type": "object", "required": [\#(required)], "properties": {\#(properties)}}"#
    }

    private static func list(of items: String) -> String { #"{"type": "array", "items": \#(items)}"# }

    private static func orNull(_ schema: String) -> String { #"{"anyOf": [{"type": "null"}, \#(schema)]}"# }

    private static func choice(_ words: [String]) -> String {
        #"{"type": "string", "enum": [\#(words.map { "\"\($0)\"" }.joined(separator: ", "))]}"#
    }
}
