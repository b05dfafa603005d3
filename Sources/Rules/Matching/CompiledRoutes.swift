internal import Events
internal import JSON

/// Some routes of a plan, compiled, and where they stand among all.
struct CompiledRoutes: Sendable {
    let program: Program
    /// By route of the program: its place in the plan.
    private let places: [Int32]
    /// Whether it has all routes of the plan.
    private let isWhole: Bool

    /// - Parameters:
    ///   - routes: all of the plan.
    ///   - chosen: the places of those to be compiled.
    ///   - targets: the plan's, by their names.
    init(
        _ routes: [Route], _ chosen: [Int], _ targets: [String: Int32], _ zones: EventZones,
        memoryLimit: Int
    ) throws(PlanTooLarge) {
        program = try PlanBuilder.build(
            chosen.map { routes[$0] }, targets, zones, limit: memoryLimit)
        places = chosen.map { Int32($0) }
        isWhole = chosen.count == routes.count
    }

    var isEmpty: Bool { places.isEmpty }

    /// The places of routes in the plan.
    func places(_ routes: [Int32]) -> [Int] {
        isWhole ? routes.map { Int($0) } : routes.map { Int(places[Int($0)]) }
    }

    /// The places of the routes that nothing leads to.
    var residual: [Int] {
        var conditions = program.conditions.residual
        for group in program.defaults.always.map({ program.defaults.groups[Int($0)] }) where group.rest >= 0 {
            let slots = 64 * Int(group.words.lowerBound)..<64 * Int(group.words.upperBound)
            conditions += program.defaults.conditions[slots].filter { $0 >= 0 }
        }
        return conditions.flatMap { places(Array(program.conditions.routes(of: $0))) }
    }

    func run(_ event: EventView, _ state: inout MatchState) {
        guard !isEmpty else { return }
        state.run(program, event)
        guard event.isSystem else { return }
        state.matched.removeAll { !program.targets.takesSystem[Int($0)] }
        state.failed.removeAll { !program.targets.takesSystem[Int($0)] }
    }

    /// The routes that took the event for each target, in the order of the targets; in two passes, without sorting.
    func byTarget(_ state: inout MatchState, _ names: [String]) -> [TargetMatch] {
        let table = program.targets
        guard !state.matched.isEmpty else { return [] }
        if state.targetCounts.count < names.count {
            state.targetCounts = Array(repeating: 0, count: names.count)
        }
        state.targetsMet.removeAll(keepingCapacity: true)
        for route in state.matched {
            table.forEach(route) { target in
                if state.targetCounts[Int(target)] == 0 { state.targetsMet.append(target) }
                state.targetCounts[Int(target)] += 1
            }
        }
        state.targetsMet.sort()
        // Counts become the places where each target's routes begin in one list.
        var end: Int32 = 0
        for target in state.targetsMet {
            let count = state.targetCounts[Int(target)]
            state.targetCounts[Int(target)] = end
            end += count
        }
        if state.routesByTarget.count < Int(end) {
            state.routesByTarget = Array(repeating: 0, count: Int(end))
        }
        for route in state.matched {
            let place = isWhole ? Int(route) : Int(places[Int(route)])
            table.forEach(route) { target in
                state.routesByTarget[Int(state.targetCounts[Int(target)])] = place
                state.targetCounts[Int(target)] += 1
            }
        }
        var matches: [TargetMatch] = []
        matches.reserveCapacity(state.targetsMet.count)
        var start = 0
        for target in state.targetsMet {
            let end = Int(state.targetCounts[Int(target)])
            state.targetCounts[Int(target)] = 0
            matches.append(
                TargetMatch(
                    target: names[Int(target)], targetIndex: Int(target),
                    routes: Array(state.routesByTarget[start..<end])))
            start = end
        }
        return matches
    }
}

extension EventView {
    /// Whether it is an event of our own.
    fileprivate var isSystem: Bool {
        guard let type = tape.member(tape.root, "type") else { return false }
        return tape.bytes[tape.span(type)].dropFirst().starts(with: "system.".utf8)
    }
}
