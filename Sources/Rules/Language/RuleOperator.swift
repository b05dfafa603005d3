/// Every operator of the route language. What this version cannot evaluate is refused by name when a file is loaded.
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
    case within
    case outside

    var isAvailable: Bool {
        switch self {
        case .equals, .anyOf, .exactly, .not, .is: true
        default: false
        }
    }

    static let available = allCases.filter(\.isAvailable)

    /// One line for people and for editors.
    var summary: String {
        switch self {
        case .equals, .anyOf: "equal to this value, or to one of a list; case and outer spaces do not count"
        case .exactly: "equal to this text, or to one of a list, exactly as it stands"
        case .not: "true where what stands under it is not, also where the field is missing"
        case .is: "the field's state: present, absent, \"null\", empty or blank"
        default: "not available in this version"
        }
    }
}

/// What can be asked of a field without looking at its value; any number of these at once.
struct Situations: OptionSet, Hashable, Sendable {
    let rawValue: UInt8

    /// No such key.
    static let absent = Situations(rawValue: 1)
    static let null = Situations(rawValue: 2)
    /// `""`, `[]` or `{}`.
    static let empty = Situations(rawValue: 4)
    /// A text of nothing but white space.
    static let white = Situations(rawValue: 8)
    static let other = Situations(rawValue: 16)

    static let all: Situations = [.absent, .null, .empty, .white, .other]
}

/// The argument of `is:`.
enum FieldState: String, CaseIterable, Sendable {
    case present
    case absent
    case null
    case empty
    case blank

    /// The situations in which it holds.
    var situations: Situations {
        switch self {
        case .present: [.empty, .white, .other]
        case .absent: .absent
        case .null: .null
        case .empty: .empty
        case .blank: [.absent, .null, .empty, .white]
        }
    }
}
