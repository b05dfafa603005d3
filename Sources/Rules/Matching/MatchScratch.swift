internal import Events
internal import JSON
internal import TimeZones

/// Working storage for matching, one for each thread, reused from event to event and from plan to plan.
package struct MatchScratch: Sendable {
    /// For the routes that take what they are written for.
    var main = MatchState()
    /// For those that take what no other route took.
    var rest = MatchState()

    package init() {}
}

/// What is known of one event while it is matched against one program.
///
/// Nothing is cleared between events: what is remembered carries the number of its event.
struct MatchState: Sendable {
    struct PathState: Sendable {
        /// The event for which `place` was found, and that for which the rest was read.
        var placed: UInt32 = 0
        var read: UInt32 = 0
        var place: JSONIndex?
        var done: Lookups = []
        var situation: Situations = .absent
        /// Whether it holds a number that cannot be compared.
        var isUndecidable = false
        /// A range of `elements`.
        var first: Int32 = 0
        var end: Int32 = 0
    }

    /// A scalar; of a list each element.
    struct Element: Sendable {
        enum Form: UInt8, Sendable {
            case text, number, boolean
        }

        let form: Form
        /// In `raw`.
        let start: Int32
        let end: Int32
        /// In `folded`, once that was asked for.
        var foldedStart: Int32 = -1
        var foldedEnd: Int32 = 0
    }

    private(set) var program: Program?
    private(set) var generation: UInt32 = 0
    var paths: [PathState] = []
    /// `generation * 2`, and 1 more where the fact is true.
    var facts: [UInt32] = []
    /// The event in which the routes of a condition were last decided.
    var verified: [UInt32] = []
    /// `generation * 4`, and a `Truth`.
    var truths: [UInt32] = []
    var calendars: [UInt32] = []
    /// The event in which an ending of the automaton was last met.
    var endings: [UInt32] = []
    var groups: [UInt32] = []
    var walked: [UInt32] = []

    var elements: [Element] = []
    var raw: [UInt8] = []
    var folded: [UInt8] = []
    var reports: [TextAutomaton.Report] = []
    /// The event's time in milliseconds since 1970, and the event for which it was read.
    var now: (value: Int64?, generation: UInt32) = (nil, 0)

    /// The zone of the event's site or source, and the event for which it was found.
    var eventZone: (value: ZoneRules?, generation: UInt32) = (nil, 0)

    /// Texts that are still to be found among the facts.
    var texts: [TextLookup] = []
    /// True facts that lead somewhere, and not just to one route.
    var found: [Int32] = []
    /// Effects that take from the default set.
    var removals: [Range<Int>] = []
    /// Groups of the default set whose rest does not fail.
    var activeGroups: [(group: Int32, truth: Truth)] = []
    var bits: [UInt64] = []
    var routeBits: [UInt64] = []
    /// The routes that take the event; once done, ascending.
    var matched: [Int32] = []
    /// The routes that could not be decided.
    var failed: [Int32] = []
    /// By target, 0 between events; and the targets met.
    var targetCounts: [Int32] = []
    var targetsMet: [Int32] = []
    var routesByTarget: [Int] = []
    /// Steps of work, of which a bound can be stated: bytes looked at, conditions verified, words of sets.
    var work = 0

    /// Makes ready for the next event.
    mutating func begin(_ next: Program) {
        if program !== next || generation == UInt32.max >> 2 {
            program = next
            generation = 0
            paths = Array(repeating: PathState(), count: next.paths.paths.count)
            facts = Array(repeating: 0, count: next.facts.count)
            verified = Array(repeating: 0, count: next.conditions.count)
            truths = Array(repeating: 0, count: next.conditions.count)
            calendars = Array(repeating: 0, count: next.values.calendars.count)
            endings = Array(repeating: 0, count: next.indexes.automaton.endings)
            groups = Array(repeating: 0, count: next.defaults.groups.count)
            walked = Array(repeating: 0, count: PathTree.Root.allCases.count)
            bits = next.defaults.bits
            routeBits = Array(repeating: 0, count: (next.targets.count + 63) / 64)
            now = (nil, 0)
            eventZone = (nil, 0)
        }
        generation += 1
        work = 0
        elements.removeAll(keepingCapacity: true)
        raw.removeAll(keepingCapacity: true)
        folded.removeAll(keepingCapacity: true)
        texts.removeAll(keepingCapacity: true)
        found.removeAll(keepingCapacity: true)
        removals.removeAll(keepingCapacity: true)
        activeGroups.removeAll(keepingCapacity: true)
        matched.removeAll(keepingCapacity: true)
        failed.removeAll(keepingCapacity: true)
    }
}
