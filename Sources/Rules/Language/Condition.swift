internal import Events

/// What a route asks of an event, checked.
indirect enum Condition: Sendable {
    /// Also takes every event when there is none.
    case all([Condition])
    /// Of one at least.
    case any([Condition])
    case not(Condition)
    case leaf(Leaf)
}

/// One question about one field.
struct Leaf: Sendable {
    var path: FieldPath
    /// The field as the rule names it: `site`, `visitor.email`, `personal "role"`.
    var name: String
    var test: Test

    enum Test: Sendable {
        case equals([Literal], exactly: Bool)
        case state([FieldState])
    }
}

/// A value of a rule.
struct Literal: Sendable {
    /// As written.
    var text: String
    /// What it is equal to: one that any of the event's values has.
    var keys: [LiteralKey]
}

/// A value in the form in which two equal ones are the same.
enum LiteralKey: Hashable, Sendable {
    /// Folded; also booleans, as their word.
    case text([UInt8])
    /// As it stands.
    case exact([UInt8])
    /// `DecimalNumber.canonical`.
    case number([UInt8])
    /// Milliseconds since 1970.
    case moment(Int64)
}

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
        }
    }

    /// In words.
    var phrase: String {
        switch self {
        case .all(let parts): parts.isEmpty ? "any event" : parts.map(\.phrase).joined(separator: " and ")
        case .any(let parts): parts.map { $0.isCompound ? "(\($0.phrase))" : $0.phrase }.joined(separator: " or ")
        case .not(.leaf(let leaf)): leaf.phrase(negated: true)
        case .not(let part): "not (\(part.phrase))"
        case .leaf(let leaf): leaf.phrase(negated: false)
        }
    }

    private var isCompound: Bool {
        switch self {
        case .all(let parts), .any(let parts): parts.count > 1
        default: false
        }
    }
}

extension Leaf {
    fileprivate var canonicalText: String {
        switch test {
        case .equals(let literals, let exactly):
            let values = literals.map { "\($0.text.utf8.count):\($0.text)" }.joined(separator: ",")
            return "\(path.text) \(exactly ? "exactly" : "equals") [\(values)]"
        case .state(let states):
            return "\(path.text) is [\(states.map(\.rawValue).joined(separator: ","))]"
        }
    }

    /// `group is Contractor`, `site is one of 4567, 8910`, `personal "role" is not Director`. Only the rule's own words.
    func phrase(negated: Bool) -> String {
        switch test {
        case .equals(let literals, let exactly):
            let verb = exactly ? "exactly " : ""
            if literals.count == 1 { return "\(name) is \(negated ? "not " : "")\(verb)\(Self.shown(literals[0]))" }
            return "\(name) is \(negated ? "none" : "one") of \(verb)\(Self.listed(literals))"
        case .state(let states):
            return "\(name) is \(negated ? "not " : "")\(states.map(\.rawValue).joined(separator: " or "))"
        }
    }

    private static func shown(_ literal: Literal) -> String {
        literal.text.isEmpty ? "empty" : literal.text
    }

    private static func listed(_ literals: [Literal]) -> String {
        let most = 5
        let shown = literals.prefix(most).map(shown).joined(separator: ", ")
        return literals.count > most ? "\(shown) and \(literals.count - most) more" : shown
    }
}
