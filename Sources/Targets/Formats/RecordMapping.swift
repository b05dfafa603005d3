import Events

/// One member of a format of JSON objects, and what it says.
struct RecordRule: Sendable {
    /// Keys from the root.
    let path: [StaticString]
    let value: RecordValue
    /// Written only when one of these fields is there.
    let condition: [EventField]

    init(_ path: StaticString..., is value: RecordValue, when condition: [EventField] = []) {
        self.path = path
        self.value = value
        self.condition = condition
    }

    private init(path: [StaticString], _ value: RecordValue, _ condition: [EventField]) {
        self.path = path
        self.value = value
        self.condition = condition
    }

    /// The same rule for an object that stands in others.
    func inside(_ outer: StaticString..., when condition: [EventField]? = nil) -> RecordRule {
        RecordRule(path: outer + path, value, condition ?? self.condition)
    }
}

enum RecordValue: Sendable {
    /// The first of the fields that has a text.
    case text(EventField, or: [EventField] = [])
    /// As `text`; where there is none, `unknown`.
    case required(EventField, or: [EventField] = [])
    /// A text that is an IP address.
    case address(EventField)
    /// A text that is a hardware address.
    case hardwareAddress(EventField)
    /// The same as `00-00-5E-00-53-23`.
    case hyphenatedAddress(EventField)
    /// A text that is an e-mail address.
    case email(EventField)
    case boolean(EventField)
    /// The sender's own value of any type.
    case any(EventField)
    case word(String)
    case words([String])
    case number(Int)
    case eventID
    case typeName
    case timeMilliseconds
    case timeText
    case receivedMilliseconds
    /// Why: of a decision, a rejection, or an event of Gatehouse's own.
    case reason
    case hostname
    case routes
    /// The texts of these fields, each once.
    case all([EventField])
    /// Those of them that are IP addresses.
    case addresses([EventField])
    /// Those of them that are hardware addresses, as `00-00-5E-00-53-23`.
    case hardwareAddresses([EventField])
    /// Members of `data` that no rule before took, by their own names.
    case rest
    /// The sender's own payload, as text.
    case original
    /// True; only in a record that is shortened.
    case truncated
}
