internal import Cryptography
package import Events
internal import JSON

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
    private let program: Program

    package static let empty = RulePlan([])

    /// - Parameter routes: disabled ones are left out.
    package init(_ routes: [Route]) {
        self.routes = routes.filter(\.isEnabled)
        program = Program(PlanBuilder(self.routes))
        let text = self.routes.map(\.canonicalText).joined()
        hash = String(Hex.encode(SHA256.hash(Array(text.utf8))).prefix(16))
    }

    /// The targets any route names, in the order first met.
    package var targets: [String] { program.targets }

    /// The routes that have no equality to be found by, and are looked at for every event.
    package var residualRoutes: [Int] { program.residual.map(Int.init) }

    /// The targets the event goes to, in the order of `targets`; empty when no route takes it. An event of our own
    /// (`system.*`) is taken by no route of this version.
    package func match(_ event: EventView, scratch: inout MatchScratch) -> [TargetMatch] {
        guard !routes.isEmpty, !event.isSystem else { return [] }
        scratch.run(program, event)
        guard !scratch.matched.isEmpty else { return [] }
        var pairs: [(target: Int32, route: Int32)] = []
        for route in scratch.matched {
            for target in program.routes[Int(route)].targets { pairs.append((target, route)) }
        }
        pairs.sort { ($0.target, $0.route) < ($1.target, $1.route) }
        var matches: [TargetMatch] = []
        var first = 0
        for index in pairs.indices where index + 1 == pairs.count || pairs[index + 1].target != pairs[index].target {
            let target = Int(pairs[index].target)
            matches.append(
                TargetMatch(
                    target: program.targets[target], targetIndex: target,
                    routes: pairs[first...index].map { Int($0.route) }))
            first = index + 1
        }
        return matches
    }

    /// The routes that take the event, ascending.
    package func routes(taking event: EventView, scratch: inout MatchScratch) -> [Int] {
        guard !routes.isEmpty, !event.isSystem else { return [] }
        scratch.run(program, event)
        return scratch.matched.map(Int.init)
    }

    /// Why a route took an event, in short phrases that hold no more than the rule's own words:
    /// `group is Contractor`, `site is one of 4567, 8910`.
    package func reasons(_ route: Int, _ event: EventView) -> [String] {
        var scratch = MatchScratch()
        scratch.begin(program)
        var reasons = Reasons(program: program, event: event, scratch: scratch)
        return reasons.tell(routes[route].condition)
    }
}

extension EventView {
    fileprivate var isSystem: Bool {
        guard let type = tape.member(tape.root, "type") else { return false }
        return tape.bytes[tape.span(type)].dropFirst().starts(with: "system.".utf8)
    }
}
