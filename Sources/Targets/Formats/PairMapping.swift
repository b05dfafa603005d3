import Events
import JSON

/// One key of a format of `key=value` pairs, and what it says.
struct PairRule: Sendable {
    let key: StaticString
    /// What the key's companion says, for a key without a meaning of its own.
    let label: StaticString?
    let value: PairValue

    init(_ key: StaticString, _ value: PairValue, label: StaticString? = nil) {
        self.key = key
        self.label = label
        self.value = value
    }
}

enum PairValue: Sendable {
    /// The first field that has a text.
    case field(EventField, or: EventField? = nil)
    case timeMilliseconds
    /// As `2020-01-01T12:00:01.000+0000`.
    case timeWithOffset
    case word(StaticString)
    case eventID
    /// The first part of the type, such as `visitor`.
    case category
    case action
    /// What was decided, or `success` or `failure`.
    case outcome
    case severity
    /// Why: of a decision, a rejection, or an event of Gatehouse's own.
    case reason
    /// The message of a decision; whom an event of Gatehouse's own concerns; the sender's own name of the event.
    case message
    case hostname
    case routes
    case attempts
}

extension PairLine {
    mutating func add(
        _ rules: [PairRule], _ places: EventPlaces, _ outgoing: OutgoingEvent, _ options: RenderingOptions
    ) {
        let tape = places.tape
        for rule in rules {
            switch rule.value {
            case .field(let field, let other): add(rule, tape, places.first(field, or: other))
            case .timeMilliseconds: if let time = places.time { add(rule.key, time.milliseconds) }
            case .timeWithOffset: if let time = places.time { addWithOffset(rule, time) }
            case .word(let word): add(rule.key, plain: word)
            case .eventID: add(rule, tape, places.id)
            case .category: add(rule.key, label: rule.label, places.kind.category)
            case .action: add(rule.key, label: rule.label, places.kind.action)
            case .outcome: add(rule, tape, places.first(.decisionOutcome), else: places.kind.outcome)
            case .severity: add(rule.key, Int64(places.kind.description.grade.cefSeverity))
            case .reason:
                add(rule, tape, places.first(.decisionReason) ?? places.first(.systemReason), else: places.rejection)
            case .message: add(rule, tape, places.first(.decisionMessage), else: places.subjectMatter)
            case .hostname: add(rule.key, label: rule.label, Array(options.hostname.utf8))
            case .routes: add(rule.key, label: rule.label, Array(outgoing.routes.joined(separator: ",").utf8))
            case .attempts: if let attempts = places.attempts { add(rule, tape, attempts) }
            }
        }
    }

    private mutating func add(
        _ rule: PairRule, _ tape: JSONTape, _ place: JSONIndex?,
        else text: @autoclosure () -> [UInt8] = []
    ) {
        if let place {
            add(rule.key, label: rule.label, tape, place)
        } else {
            add(rule.key, label: rule.label, text())
        }
    }

    private mutating func addWithOffset(_ rule: PairRule, _ time: Timestamp) {
        var text: [UInt8] = []
        time.append(to: &text)
        text.removeLast()
        text.append(contentsOf: "+0000".utf8)
        add(rule.key, label: rule.label, text)
    }
}
