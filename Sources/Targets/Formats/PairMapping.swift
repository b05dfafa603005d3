import Events
import JSON

/// What a format of `key=value` pairs is told of an event.
protocol PairMapping {
    associatedtype Syntax: PairSyntax
    /// How a line begins, up to the version, which is that of the mapping.
    static var opening: String { get }
    static var rules: [PairRule] { get }
    /// Of each canonical type, in their order: made once.
    static var headers: [[UInt8]] { get }
    /// - Parameter type: of the event: letters, digits, `.`, `_` and `-`.
    static func header(_ type: [UInt8], _ description: EventDescription) -> [UInt8]
}

extension PairMapping {
    static var headersOfTypes: [[UInt8]] { TypeWords.all.map { header($0.name, $0.description) } }

    static func render(_ outgoing: OutgoingEvent, _ options: RenderingOptions) throws(RenderingError) -> [UInt8] {
        let places = EventPlaces(outgoing.event)
        var line = PairLine<Syntax>(header: header(of: places))
        line.add(rules, places, outgoing, options)
        guard let limit = options.limit else { return line.bytes }
        return try line.shortened(to: limit)
    }

    private static func header(of places: EventPlaces) -> [UInt8] {
        if places.type != nil { return headers[places.kind.index] }
        let name = places.typeName.flatMap(places.tape.text) ?? ""
        return header(Array(name.utf8.filter(isPlain).prefix(64)), places.kind.description)
    }

    /// A type that is not canonical is whatever somebody wrote.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

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
    /// A text that is an IP address: of receivers that know what type a key has, some take nothing of a line where it is not.
    case address(EventField)
    case ipv4Address(EventField)
    case ipv6Address(EventField)
    /// A text that is a hardware address, as `00:00:5e:00:53:23`.
    case hardwareAddress(EventField)
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
            case .address(let field): add(rule, places.text(field)) { TypedText.address($0) }
            case .ipv4Address(let field): add(rule, places.text(field)) { TypedText.address($0, isIPv4: true) }
            case .ipv6Address(let field): add(rule, places.text(field)) { TypedText.address($0, isIPv4: false) }
            case .hardwareAddress(let field): add(rule, places.text(field)) { TypedText.hardwareAddress($0) }
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

    /// - Parameter form: the text in the form that is wanted, where it is such a thing.
    private mutating func add(_ rule: PairRule, _ text: String?, as form: (String) -> String?) {
        guard let text = text.flatMap(form) else { return }
        add(rule.key, label: rule.label, Array(text.utf8))
    }

    private mutating func addWithOffset(_ rule: PairRule, _ time: Timestamp) {
        var text: [UInt8] = []
        time.append(to: &text)
        text.removeLast()
        text.append(contentsOf: "+0000".utf8)
        add(rule.key, label: rule.label, text)
    }
}
