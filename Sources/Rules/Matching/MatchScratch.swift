internal import Events
internal import JSON

/// Working storage for matching, one for each thread, reused from event to event and from plan to plan.
package struct MatchScratch: Sendable {
    /// What is known of one path of the event at hand.
    struct PathValue: Sendable {
        var generation: UInt32 = 0
        var situation: Situations = .absent
        /// The rule values it equals: a range of `found`.
        var first: Int32 = 0
        var end: Int32 = 0
    }

    private(set) var program: Program?
    /// Counts events, so that nothing need be cleared between them.
    private(set) var generation: UInt32 = 0
    var paths: [PathValue] = []
    var found: [Int32] = []
    /// `generation * 2`, and 1 more where the predicate holds.
    var predicates: [UInt32] = []
    var routes: [UInt32] = []
    var matched: [Int32] = []
    var text: [UInt8] = []
    var folded: [UInt8] = []

    package init() {}

    /// Makes ready for the next event.
    mutating func begin(_ next: Program) {
        if program !== next || generation == UInt32.max / 2 {
            program = next
            generation = 0
            paths = Array(repeating: PathValue(), count: next.paths.count)
            predicates = Array(repeating: 0, count: next.predicates.count)
            routes = Array(repeating: 0, count: next.routes.count)
        }
        generation += 1
        found.removeAll(keepingCapacity: true)
        matched.removeAll(keepingCapacity: true)
    }
}
