/// One thing that may be true of an event at one path: that a value equals this text, has this beginning, lies in this
/// range. Two rules that ask the same ask one fact, and it is found out once for an event.
struct Fact: Sendable {
    enum Kind: UInt8, Sendable {
        // Found in the table of bytes, by the bytes at `start`.
        case text, exact, number, moment, prefix, suffix, domain, domainEnding, network
        // Found by the automaton of the path; the bytes at `start` for `contains`.
        case contains, glob, expression
        /// The list at `start` holds it.
        case list
        // Found by the ranges of the path.
        case numberRange, momentRange
        /// The field's state is the one numbered `start`: see `Fact.situations`.
        case situation
        /// A number that cannot be compared stands here.
        case undecidable
        /// One of several facts: those that lead here.
        case oneOf

        var hasBytes: Bool { rawValue <= Kind.contains.rawValue }
    }

    let path: Int32
    let kind: Kind
    /// Whether finding the path's facts finds this one too; otherwise it is tested by itself when a rule asks.
    var isFound: Bool
    /// Of the bytes, where the kind has any; for the others 0.
    let count: UInt16
    /// Of the bytes; otherwise the place in the list of its kind.
    let start: UInt32
    /// The route, where one that asks nothing else is all that the fact leads to; otherwise -1.
    var route: Int32 = -1
    /// Of a text: its first bytes once more, so that whoever has read the fact need not read them elsewhere.
    let beginning: ShortText

    init(
        path: Int32, kind: Kind, isFound: Bool, count: UInt16, start: UInt32, beginning: ShortText = .none
    ) {
        self.path = path
        self.kind = kind
        self.isFound = isFound
        self.count = count
        self.start = start
        self.beginning = beginning
    }

    /// A state a field has only when it is there: absence is that none of these holds.
    static let situations: [Situations] = [.null, .empty, .white, .other]
}

/// Ways to find the facts of a path, each as a bit.
struct Lookups: OptionSet, Sendable {
    let rawValue: UInt8

    /// Equal values.
    static let values = Lookups(rawValue: 1)
    /// Beginnings, endings, domains.
    static let affixes = Lookups(rawValue: 2)
    /// What a text contains, globs, expressions.
    static let scan = Lookups(rawValue: 4)
    static let ranges = Lookups(rawValue: 8)
    static let networks = Lookups(rawValue: 16)
    static let situation = Lookups(rawValue: 32)

    static func of(_ kind: Fact.Kind) -> Lookups {
        switch kind {
        case .text, .exact, .number, .moment: .values
        case .prefix, .suffix, .domain, .domainEnding: .affixes
        case .contains, .glob, .expression, .list: .scan
        case .numberRange, .momentRange, .undecidable: .ranges
        case .network: .networks
        case .situation, .oneOf: .situation
        }
    }
}
