internal import TimeZones

/// A rule set in the form in which it is matched; immutable. Everything is numbered, and every list is flat.
final class Program: Sendable {
    let paths: PathTable
    let facts: FactTable
    let values: RuleValues
    let indexes: FactIndexes
    let effects: EffectTable
    let conditions: ConditionTable
    let defaults: DefaultSet
    let targets: TargetTable

    init(
        paths: PathTable, facts: FactTable, values: RuleValues, indexes: FactIndexes, effects: EffectTable,
        conditions: ConditionTable, defaults: DefaultSet, targets: TargetTable
    ) {
        self.paths = paths
        self.facts = facts
        self.values = values
        self.indexes = indexes
        self.effects = effects
        self.conditions = conditions
        self.defaults = defaults
        self.targets = targets
    }

    /// What the buffers take, in bytes.
    var memory: Int {
        paths.memory + facts.memory + values.memory + indexes.memory + effects.memory + conditions.memory
            + defaults.memory + targets.memory
    }
}

/// What rules compare with, where that is more than bytes; each once.
struct RuleValues: Sendable {
    var globs: [GlobSearch] = []
    var expressions: [RegularExpression] = []
    var lists: [TextList] = []
    var numberRanges: [NumberRange] = []
    var momentRanges: [MomentRange] = []
    var calendars: [RuleCalendar] = []
    /// By calendar: its own zone; nil: it has none, or none that is known.
    var calendarZones: [ZoneRules?] = []
    var zones: EventZones

    init(zones: EventZones) { self.zones = zones }

    var memory: Int {
        globs.reduce(0) { $0 + $1.memory } + expressions.count * Self.expressionBytes
            + lists.reduce(0) { $0 + $1.memory } + numberRanges.capacity * MemoryLayout<NumberRange>.stride
            + momentRanges.capacity * MemoryLayout<MomentRange>.stride
            + calendars.reduce(0) { $0 + MemoryLayout<RuleCalendar>.stride + 64 + 8 * $1.holidays.count }
    }

    /// What one compiled expression is taken to need.
    static let expressionBytes = 4096
}

/// How the facts of a path are found that are not in the table of bytes.
struct FactIndexes: Sendable {
    var automaton = TextAutomaton()
    var numbers: [RangeIndex<OrderedNumber>] = []
    var moments: [RangeIndex<Int64>] = []

    var memory: Int {
        automaton.memory + numbers.reduce(0) { $0 + $1.memory } + moments.reduce(0) { $0 + $1.memory }
    }
}

/// What follows when a fact is found.
struct Effect: Sendable {
    enum Kind: UInt32, Sendable {
        /// A fact of which this is one.
        case fact
        /// A route that asks nothing else.
        case route
        /// A condition to be verified.
        case condition
        /// A group of the default set that may hold.
        case group
        /// A place in the default set that is taken away.
        case removal
        /// As `removal`, for many places: one of `EffectTable.removalSets`.
        case removalSet
        /// A place in the default set whose condition cannot be decided.
        case failure
    }

    private let raw: UInt32

    init(_ kind: Kind, _ number: Int32) { raw = UInt32(number) << 3 | kind.rawValue }

    // Only those seven are made.
    var kind: Kind { Kind(rawValue: raw & 7)! }
    var number: Int32 { Int32(raw >> 3) }
}

struct EffectTable: Sendable {
    /// By fact, one more than there are facts: ranges of `effects`.
    var start: [UInt32] = [0]
    var effects: [Effect] = []
    /// One bit for each place of the default set, 0 where it is taken away.
    var removalSets: [[UInt64]] = []

    var memory: Int {
        4 * (start.capacity + effects.capacity) + removalSets.reduce(0) { $0 + 8 * $1.capacity + 32 }
    }

    @inline(__always)
    func of(_ fact: Int32) -> Range<Int> { Int(start[Int(fact)])..<Int(start[Int(fact) + 1]) }
}

/// Distinct conditions, and the routes that each belongs to.
struct ConditionTable: Sendable {
    var code: [Int32] = []
    /// Where in `code` each begins, and one more.
    var start: [UInt32] = [0]
    /// Whether any part of it may be undecidable.
    var isFallible: [Bool] = []
    /// By condition, and one more: ranges of `routes`.
    var routeStart: [UInt32] = []
    var routes: [Int32] = []
    /// Conditions that nothing leads to, verified for every event.
    var residual: [Int32] = []

    var count: Int { isFallible.count }

    func routes(of condition: Int32) -> ArraySlice<Int32> {
        routes[Int(routeStart[Int(condition)])..<Int(routeStart[Int(condition) + 1])]
    }

    /// Its steps.
    func range(of condition: Int32) -> Range<Int> {
        Int(start[Int(condition)])..<Int(start[Int(condition) + 1])
    }

    var memory: Int {
        4 * (code.capacity + start.capacity + routeStart.capacity + routes.capacity + residual.capacity)
            + isFallible.capacity
    }
}

/// Conditions that hold unless something is found: one bit each, in groups that share the rest of their condition.
struct DefaultSet: Sendable {
    struct Group: Sendable {
        /// A range of `bits`, in words.
        let words: Range<Int32>
        /// The condition that all have beside their negations; -1 for none.
        let rest: Int32
    }

    var bits: [UInt64] = []
    /// By place; -1 for places that only fill a word.
    var conditions: [Int32] = []
    var groups: [Group] = []
    /// Groups to be looked at for every event.
    var always: [Int32] = []

    var memory: Int {
        8 * bits.capacity + 4 * (conditions.capacity + always.capacity)
            + groups.capacity * MemoryLayout<Group>.stride
    }
}

struct TargetTable: Sendable {
    /// By route: its target's place in `RulePlan.targets`; of a route with several, -1 less the place of their number in
    /// `lists`, which they follow, ascending.
    private(set) var first: [Int32] = []
    private(set) var lists: [Int32] = []
    /// By route: whether it may take events of our own.
    private(set) var takesSystem: [Bool] = []

    var count: Int { first.count }
    var memory: Int { 4 * (first.capacity + lists.capacity) + takesSystem.capacity }

    mutating func append(_ targets: [Int32], takesSystem: Bool) {
        self.takesSystem.append(takesSystem)
        if targets.count == 1 {
            first.append(targets[0])
        } else {
            first.append(-1 - Int32(lists.count))
            lists.append(Int32(targets.count))
            lists += targets.sorted()
        }
    }

    /// Calls with each target of a route.
    @inline(__always)
    func forEach(_ route: Int32, _ body: (Int32) -> Void) {
        let target = first[Int(route)]
        if target >= 0 {
            body(target)
        } else {
            let place = Int(-1 - target)
            for list in place + 1..<place + 1 + Int(lists[place]) { body(lists[list]) }
        }
    }
}
