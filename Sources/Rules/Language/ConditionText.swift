internal import Addresses
internal import YAML

extension Condition {
    /// All of these; one by itself stands for itself.
    static func conjunction(_ parts: [Condition]) -> Condition {
        parts.count == 1 ? parts[0] : .all(parts)
    }

    /// One text for conditions that mean the same by their writing, for the plan's hash.
    var canonicalText: String {
        switch self {
        case .all(let parts): "all(" + parts.map(\.canonicalText).joined(separator: ",") + ")"
        case .any(let parts): "any(" + parts.map(\.canonicalText).joined(separator: ",") + ")"
        case .not(let part): "not(" + part.canonicalText + ")"
        case .leaf(let leaf): leaf.canonicalText
        case .named(let named): "named(" + named.digest + ")"
        }
    }

    /// In words; no more than the rule's own.
    var phrase: String {
        switch self {
        case .all(let parts):
            parts.isEmpty
                ? "any event" : parts.map { $0.isChoice ? "(\($0.phrase))" : $0.phrase }.joined(separator: " and ")
        case .any(let parts): parts.map { $0.isCompound ? "(\($0.phrase))" : $0.phrase }.joined(separator: " or ")
        case .not(.leaf(let leaf)): leaf.phrase(negated: true)
        case .not(.named(let named)): "\(displayable(named.name)) does not hold"
        case .not(let part): "not (\(part.phrase))"
        case .leaf(let leaf): leaf.phrase(negated: false)
        case .named(let named): "\(displayable(named.name)) holds"
        }
    }

    private var isCompound: Bool {
        switch self {
        case .all(let parts), .any(let parts): parts.count > 1
        default: false
        }
    }

    private var isChoice: Bool {
        if case .any(let parts) = self { parts.count > 1 } else { false }
    }
}

extension Leaf {
    var canonicalText: String { "\(path.text) \(test.canonicalText)" }

    /// `group is Contractor`, `site is one of 4567, 8910`, `visitor.email is not in the domain acme.com`.
    func phrase(negated: Bool) -> String { "\(name) \(test.phrase(negated: negated))" }
}

extension Leaf.Test {
    fileprivate var canonicalText: String {
        switch self {
        case .equals(let literals, let exactly):
            "\(exactly ? "exactly" : "equals") \(Self.measured(literals.map(\.text)))"
        case .state(let states): "is [\(states.map(\.rawValue).joined(separator: ","))]"
        case .text(let relation, let patterns): "\(relation.rawValue) \(Self.measured(patterns.map(\.text)))"
        case .matches(let expressions): "matches \(Self.measured(expressions.map(\.pattern)))"
        case .listed(let lists): "in_list [\(lists.map(\.digest).joined(separator: ","))]"
        case .number(let range): "number \(RangeText(range).canonical)"
        case .moment(let range): "moment \(RangeText(range).canonical)"
        case .network(let networks): "cidr [\(networks.map(\.description).joined(separator: ","))]"
        case .calendar(let calendar, let inside): "\(inside ? "within" : "outside") \(calendar.canonicalText)"
        }
    }

    /// Texts with their lengths, so that no two lists give one text.
    private static func measured(_ texts: [String]) -> String {
        "[" + texts.map { "\($0.utf8.count):\($0)" }.joined(separator: ",") + "]"
    }

    fileprivate func phrase(negated: Bool) -> String {
        let not = negated ? "not " : ""
        switch self {
        case .equals(let literals, let exactly):
            let values = WordList(literals.map { $0.text.isEmpty ? "empty" : $0.text })
            return "is \(values.choice(negated))\(exactly ? "exactly " : "")\(values.text)"
        case .state(let states): return "is \(not)\(states.map(\.rawValue).joined(separator: " or "))"
        case .text(let relation, let patterns): return relation.phrase(patterns.map(\.text), negated: negated)
        case .matches(let expressions):
            return TextRelation.verb("matches", "match", expressions.map(\.pattern), negated)
        case .listed(let lists):
            let names = WordList(lists.map(\.name))
            return names.isOne
                ? "is \(not)in the list \(names.text)"
                : "is in \(negated ? "none" : "one") of the lists \(names.text)"
        case .number(let range): return "is \(not)\(RangeText(range).phrase(.number))"
        case .moment(let range): return "is \(not)\(RangeText(range).phrase(.moment))"
        case .network(let networks):
            let names = WordList(networks.map(\.description))
            return names.isOne
                ? "is \(not)in the network \(names.text)"
                : "is in \(negated ? "none" : "one") of the networks \(names.text)"
        case .calendar(let calendar, let inside): return "is \(not)\(inside ? "within" : "outside") \(calendar.phrase)"
        }
    }
}

extension TextRelation {
    fileprivate func phrase(_ patterns: [String], negated: Bool) -> String {
        switch self {
        case .startsWith: return Self.verb("starts with", "start with", patterns, negated)
        case .endsWith: return Self.verb("ends with", "end with", patterns, negated)
        case .contains: return Self.verb("contains", "contain", patterns, negated)
        case .like:
            let words = WordList(patterns)
            return words.isOne
                ? "is \(negated ? "not " : "")like \(words.text)"
                : "is like \(negated ? "none" : "one") of \(words.text)"
        case .domain:
            guard patterns.count == 1 else {
                return "is in \(negated ? "none" : "one") of the domains \(WordList(patterns).text)"
            }
            let place =
                patterns[0].hasPrefix(".")
                ? "a domain below \(displayable(String(patterns[0].dropFirst())))"
                : "the domain \(displayable(patterns[0]))"
            return "is \(negated ? "not " : "")in \(place)"
        }
    }

    /// - Parameters: the verb as it stands by itself and after `does not`.
    fileprivate static func verb(_ says: String, _ say: String, _ patterns: [String], _ negated: Bool) -> String {
        let words = WordList(patterns)
        if words.isOne { return negated ? "does not \(say) \(words.text)" : "\(says) \(words.text)" }
        return "\(says) \(negated ? "none" : "one") of \(words.text)"
    }
}

/// The values of a rule as a sentence lists them.
private struct WordList {
    private static let most = 5
    let text: String
    let isOne: Bool

    init(_ words: [String]) {
        let shown = words.prefix(Self.most).map { displayable($0) }.joined(separator: ", ")
        text = words.count > Self.most ? "\(shown) and \(words.count - Self.most) more" : shown
        isOne = words.count == 1
    }

    func choice(_ negated: Bool) -> String {
        if isOne { return negated ? "not " : "" }
        return negated ? "none of " : "one of "
    }
}

/// The ends of a range as written.
private struct RangeText {
    enum Kind { case number, moment }

    private typealias End = (text: String, isIncluded: Bool)
    private let lower: End?
    private let upper: End?

    init(_ range: NumberRange) {
        lower = range.lower.map { ($0.text, $0.isIncluded) }
        upper = range.upper.map { ($0.text, $0.isIncluded) }
    }

    init(_ range: MomentRange) {
        lower = range.lower.map { ($0.text, $0.isIncluded) }
        upper = range.upper.map { ($0.text, $0.isIncluded) }
    }

    var canonical: String {
        let first = lower.map { "\($0.isIncluded ? "[" : "(")\($0.text)" } ?? "("
        let last = upper.map { "\($0.text)\($0.isIncluded ? "]" : ")")" } ?? ")"
        return "\(first),\(last)"
    }

    func phrase(_ kind: Kind) -> String {
        if let lower, let upper, lower.isIncluded, upper.isIncluded { return "between \(lower.text) and \(upper.text)" }
        let isNumber = kind == .number
        let first = lower.map {
            $0.isIncluded
                ? isNumber ? "at least \($0.text)" : "\($0.text) or later"
                : "\(isNumber ? "above" : "after") \($0.text)"
        }
        let last = upper.map {
            $0.isIncluded
                ? isNumber ? "at most \($0.text)" : "\($0.text) or earlier"
                : "\(isNumber ? "below" : "before") \($0.text)"
        }
        return [first, last].compactMap { $0 }.joined(separator: " and ")
    }
}
