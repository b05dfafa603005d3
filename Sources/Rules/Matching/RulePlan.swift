package import Events

/// A target that an event goes to, and the routes that took it.
package struct TargetMatch: Sendable, Hashable {
    package let target: String
    /// The target's place in `RulePlan.targets`.
    package let targetIndex: Int
    /// Places in `RulePlan.routes`, ascending.
    package let routes: [Int]
}

/// A checked rule set, ready for matching; immutable, and cheap to hand around.
package struct RulePlan: Sendable {
    /// The enabled routes, in the order of the files.
    package let routes: [Route]
    /// Equal for rule sets that mean the same by their writing: 16 hexadecimal digits.
    package let hash: String
    /// The targets any route names, in the order first met.
    package let targets: [String]
    /// The conditions that targets have of their own, by their names.
    package let admissions: [String: TargetAdmission]
    private let main: CompiledRoutes
    /// Those that take what no other route took.
    private let rest: CompiledRoutes
    private let sourceZones: [String: String]

    package static let empty = RulePlan([])
    /// What a plan may take, in bytes, where nothing else is said.
    package static let memoryLimit = 1 << 30

    /// - Parameters:
    ///   - routes: disabled ones are left out.
    ///   - sourceZones: the time zones of sources, by their names.
    ///   - admissions: the conditions that targets have of their own, by their names.
    ///   - memoryLimit: the most bytes the plan may take, its routes as they were read not counted.
    package init(
        _ routes: [Route], sourceZones: [String: String] = [:], admissions: [String: TargetAdmission] = [:],
        memoryLimit: Int
    ) throws(PlanTooLarge) {
        self.admissions = admissions
        let enabled = routes.filter(\.isEnabled)
        self.routes = enabled
        self.sourceZones = sourceZones
        let places = enabled.indices
        var numbers: [String: Int32] = [:]
        var names: [String] = []
        for route in enabled {
            for target in route.targets where numbers[target] == nil {
                numbers[target] = Int32(names.count)
                names.append(target)
            }
        }
        targets = names
        let zones = EventZones(sourceZones)
        main = try CompiledRoutes(
            enabled, places.filter { !enabled[$0].takesUnmatched }, numbers, zones, memoryLimit: memoryLimit)
        rest = try CompiledRoutes(
            enabled, places.filter { enabled[$0].takesUnmatched }, numbers, zones,
            memoryLimit: memoryLimit - main.program.memory)
        hash = PlanHash.of(enabled, admissions)
    }

    /// As the other, for rule sets that no limit can trouble.
    package init(
        _ routes: [Route], sourceZones: [String: String] = [:], admissions: [String: TargetAdmission] = [:]
    ) {
        do throws(PlanTooLarge) {
            try self.init(routes, sourceZones: sourceZones, admissions: admissions, memoryLimit: Int.max)
        } catch {
            preconditionFailure("a plan without a limit is too large: \(error)")
        }
    }

    /// What the plan's buffers take, in bytes; its routes as they were read are not counted.
    package var memory: Int { main.program.memory + rest.program.memory }

    /// The routes that nothing in an event leads to, and that are looked at for every event. Those that only negate
    /// are none: they are found by what is not there.
    package var residualRoutes: [Int] { (main.residual + rest.residual).sorted() }

    /// The targets the event goes to, in the order of `targets`; empty when no route takes it. An event of our own
    /// (`system.*`) is taken only by routes that name its type, or types of our own, under `event:`.
    package func match(_ event: EventView, scratch: inout MatchScratch) -> [TargetMatch] {
        run(event, &scratch)
            ? main.byTarget(&scratch.main, targets) : rest.byTarget(&scratch.rest, targets)
    }

    /// The routes that take the event, ascending.
    package func routes(taking event: EventView, scratch: inout MatchScratch) -> [Int] {
        run(event, &scratch) ? main.places(scratch.main.matched) : rest.places(scratch.rest.matched)
    }

    /// The routes that could not be decided for the event last matched with this scratch, ascending: they took
    /// nothing, because a time zone is not known or a number is too large to compare.
    package func failedRoutes(_ scratch: MatchScratch) -> [Int] {
        guard !scratch.main.failed.isEmpty || !scratch.rest.failed.isEmpty else { return [] }
        return (main.places(scratch.main.failed) + rest.places(scratch.rest.failed)).sorted()
    }

    /// Why a route took an event, in short phrases that hold no more than the rule's own words:
    /// `group is Contractor`, `site is one of 4567, 8910`.
    package func reasons(_ route: Int, _ event: EventView) -> [String] {
        let reasons = Reasons { condition in
            let plan = RulePlan(
                [
                    Route(
                        name: "part", description: nil, isEnabled: true, targets: [],
                        location: routes[route].location, condition: condition)
                ], sourceZones: sourceZones)
            var scratch = MatchScratch()
            return !plan.routes(taking: event, scratch: &scratch).isEmpty
        }
        return reasons.tell(routes[route].wholeCondition)
    }

    // MARK: Matching

    /// Whether the routes that took the event are of `main`.
    private func run(_ event: EventView, _ scratch: inout MatchScratch) -> Bool {
        scratch.main.matched.removeAll(keepingCapacity: true)
        scratch.main.failed.removeAll(keepingCapacity: true)
        scratch.rest.matched.removeAll(keepingCapacity: true)
        scratch.rest.failed.removeAll(keepingCapacity: true)
        main.run(event, &scratch.main)
        guard scratch.main.matched.isEmpty, !rest.isEmpty else { return true }
        rest.run(event, &scratch.rest)
        return false
    }
}
