internal import Addresses
internal import Cryptography
internal import Events
internal import YAML

/// What a route asks of an event, checked.
indirect enum Condition: Sendable {
    /// Also takes every event when there is none.
    case all([Condition])
    /// Of one at least.
    case any([Condition])
    case not(Condition)
    case leaf(Leaf)
    /// One of `conditions:`, by its name.
    case named(NamedCondition)
}

/// A condition that a file gives a name, to be used by many routes.
struct NamedCondition: Sendable {
    /// With its team: `london/outsiders`.
    var name: String
    let condition: Condition
    var location: SourceLocation
    /// Of the condition: equal for conditions that mean the same by their writing.
    let digest: String
    let size: ConditionSize

    init(name: String, condition: Condition, location: SourceLocation) {
        self.name = name
        self.condition = condition
        self.location = location
        digest = Hex.encode(SHA256.hash(Array(condition.canonicalText.utf8)))
        size = ConditionSize(condition)
    }
}

/// One question about one field.
struct Leaf: Sendable {
    var path: FieldPath
    /// The field as the rule names it: `site`, `visitor.email`, `personal "role"`.
    var name: String
    var test: Test
    /// Where the rule asks it.
    var location: SourceLocation

    enum Test: Sendable {
        case equals([Literal], exactly: Bool)
        case state([FieldState])
        /// Of one pattern at least.
        case text(TextRelation, [TextPattern])
        /// Of one expression at least.
        case matches([RegularExpression])
        case number(NumberRange)
        case moment(MomentRange)
        /// In one of these lists at least.
        case listed([TextList])
        /// In one network at least.
        case network([IPNetwork])
        case calendar(RuleCalendar, inside: Bool)
    }
}

/// How a pattern and a text compare; both folded.
enum TextRelation: String, CaseIterable, Sendable {
    case startsWith = "starts_with"
    case endsWith = "ends_with"
    case contains
    case like
    /// What follows the last `@`; a pattern that begins with a dot takes the domains below it.
    case domain
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
