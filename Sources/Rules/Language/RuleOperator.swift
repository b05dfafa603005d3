internal import Events

/// Every operator of the route language.
enum RuleOperator: String, CaseIterable, Sendable {
    case equals
    case anyOf = "any_of"
    case exactly
    case not
    case `is`
    case startsWith = "starts_with"
    case endsWith = "ends_with"
    case contains
    case like
    case matches
    case domain
    case above
    case atLeast = "at_least"
    case below
    case atMost = "at_most"
    case between
    case cidr
    case inList = "in_list"
    case within
    case outside

    /// What an operator compares, and so which fields it can be asked of.
    enum Subject {
        case anything, texts, amounts, calendars

        var phrase: String {
            switch self {
            case .anything: "compares anything"
            case .texts: "compares texts"
            case .amounts: "compares numbers and times"
            case .calendars: "compares the event's time with a calendar (time: {within: …})"
            }
        }
    }

    var subject: Subject {
        switch self {
        case .equals, .anyOf, .not, .is: .anything
        case .exactly, .startsWith, .endsWith, .contains, .like, .matches, .domain, .cidr, .inList: .texts
        case .above, .atLeast, .below, .atMost, .between: .amounts
        case .within, .outside: .calendars
        }
    }

    func applies(to path: FieldPath) -> Bool {
        switch subject {
        case .anything: return true
        case .calendars: return path == .time
        case .texts:
            switch path.kind {
            case .boolean, .number, .timestamp: return false
            case .text, .identifier, .identifiers, .reasons, .any, .map: return true
            }
        case .amounts:
            switch path.kind {
            case .number, .timestamp, .any, .map: return true
            case .text, .identifier, .identifiers, .reasons, .boolean: return false
            }
        }
    }

    /// One line for people and for editors.
    var summary: String {
        switch self {
        case .equals, .anyOf: "equal to this value, or to one of a list; case and outer spaces do not count"
        case .exactly: "equal to this text, or to one of a list, exactly as it stands"
        case .not: "true where what stands under it is not, also where the field is missing"
        case .is: "the field's state: present, absent, \"null\", empty or blank"
        case .startsWith: "begins with this text, or with one of a list; case does not count"
        case .endsWith: "ends with this text, or with one of a list; case does not count"
        case .contains: "contains this text, or one of a list; case does not count"
        case .like: "the whole text is like this: * any run, ? one character; case does not count"
        case .matches: "a regular expression (RE2) is found in the text; case counts unless it begins with (?i)"
        case .domain: "what follows the last @: acme.com exactly, .acme.com every domain below it"
        case .above: "a number greater than this, or a time after it"
        case .atLeast: "a number not less than this, or a time not before it"
        case .below: "a number less than this, or a time before it"
        case .atMost: "a number not greater than this, or a time not after it"
        case .between: "from the first to the second, both included: numbers or times"
        case .cidr: "an IP address inside this network, or inside one of a list"
        case .inList: "equal to an entry of this list, by its name in `lists:`, or of one of several"
        case .within: "inside this calendar, by name or written here, or inside one of a list"
        case .outside: "outside this calendar, by name or written here, or outside all of a list"
        }
    }
}

extension FieldKind {
    /// What a field of this kind is, for a message.
    var noun: String {
        switch self {
        case .identifier: "an id"
        case .text: "a text"
        case .boolean: "true or false"
        case .number: "a number"
        case .timestamp: "a time"
        case .identifiers: "a list of ids"
        case .reasons: "a list of reasons"
        case .map, .any: "any value"
        }
    }
}
