import Events
import JSON
import Testing

@testable import Rules

@Suite("Plans against the plain evaluator")
struct PropertyTests {
    @Test("a plan takes what a plain reading of its routes takes, and fails where that fails", arguments: Sizes.seeds)
    func agrees(_ seed: Int) throws {
        var generator = RuleGenerator(seed: UInt64(seed))
        var scratch = MatchScratch()
        let parser = JSONParser()
        let plain = PlainEvaluator(sourceZones: RuleGenerator.sourceZones)
        for round in 0..<8 {
            let plan = RulePlan(generator.routes(many: round == 7), sourceZones: RuleGenerator.sourceZones)
            for _ in 0..<20 {
                let text = generator.event()
                let event = try #require(try EventView(parsing: Array(text.utf8), with: parser))
                let expected = Expectation(plan, plain, event)
                let taken = plan.routes(taking: event, scratch: &scratch)
                #expect(
                    taken == expected.taken, "seed \(seed), round \(round)\n\(text)\n\(expected.shown(taken, plan))")
                let failed = plan.failedRoutes(scratch)
                #expect(
                    failed == expected.failed, "seed \(seed), round \(round)\n\(text)\n\(expected.shown(failed, plan))")
                guard taken == expected.taken, failed == expected.failed else { return }
                let targets = plan.match(event, scratch: &scratch)
                #expect(targets == expected.targets(plan), "seed \(seed), round \(round)")
            }
        }
    }
}

/// `PROPERTY_SEEDS` runs so many, 160 pairs of rules and events or more each.
private enum Sizes {
    static let seeds = 0..<(Environment.number("PROPERTY_SEEDS") ?? 25)
}

/// What the plain evaluator says of an event.
private struct Expectation {
    var taken: [Int] = []
    var failed: [Int] = []

    init(_ plan: RulePlan, _ plain: PlainEvaluator, _ event: EventView) {
        for takesUnmatched in [false, true] where taken.isEmpty {
            for (place, route) in plan.routes.enumerated() where route.takesUnmatched == takesUnmatched {
                if event.type.hasPrefix("system."), !route.wholeCondition.demandsSystemEvent { continue }
                switch plain.takes(route.wholeCondition, event) {
                case .taken: taken.append(place)
                case .notTaken: break
                case .failed: failed.append(place)
                }
            }
        }
        failed.sort()
    }

    func targets(_ plan: RulePlan) -> [TargetMatch] {
        plan.targets.enumerated().compactMap { index, name in
            let routes = taken.filter { plan.routes[$0].targets.contains(name) }
            return routes.isEmpty ? nil : TargetMatch(target: name, targetIndex: index, routes: routes)
        }
    }

    /// The routes that differ.
    func shown(_ found: [Int], _ plan: RulePlan) -> String {
        Set(found).symmetricDifference(taken).sorted().prefix(3).map {
            "\($0): \(plan.routes[$0].wholeCondition.phrase)"
        }
        .joined(separator: "\n")
    }
}
