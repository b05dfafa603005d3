import Events
import JSON
import Testing
import YAML

@testable import Rules

/// What is proved of rules by their values alone, held against events.
@Suite("Proofs about routes") struct CheckSoundnessTests {
    private static let plain = PlainEvaluator(sourceZones: RuleGenerator.sourceZones)

    private func events(_ generator: inout RuleGenerator, _ count: Int) throws -> [EventView] {
        let parser = JSONParser()
        return try (0..<count).map { _ in
            try #require(try EventView(parsing: Array(generator.event().utf8), with: parser))
        }
    }

    private func takes(_ condition: Condition, _ event: EventView) -> Bool {
        Self.plain.takes(condition, event) == .taken
    }

    @Test("a route that is said never to match takes no event", arguments: 0..<20)
    func contradictions(_ seed: Int) throws {
        var generator = RuleGenerator(seed: UInt64(1000 + seed))
        let events = try events(&generator, 60)
        var proved = 0
        for _ in 0..<200 {
            let condition = Condition.all([generator.condition(depth: 2), generator.condition(depth: 2)])
            guard RouteChecks.contradiction(in: Alternatives(condition).all) != nil else { continue }
            proved += 1
            for event in events where takes(condition, event) {
                Issue.record("\(condition.phrase)\n\(String(decoding: event.payload, as: UTF8.self))")
                return
            }
        }
        #expect(proved > 0)
    }

    @Test("a route that is said to contain another takes every event of the other", arguments: 0..<20)
    func containment(_ seed: Int) throws {
        var generator = RuleGenerator(seed: UInt64(2000 + seed))
        let events = try events(&generator, 60)
        var proved = 0
        for _ in 0..<60 {
            let parts = (0..<4).map { _ in generator.condition(depth: 1) }
            let conditions =
                parts + [
                    .all([parts[0], parts[1]]), .all([parts[0], parts[2]]), .any([parts[0], parts[3]]), .not(parts[1]),
                ]
            let routes = conditions.enumerated().map { index, condition in
                Route(
                    name: "r\(index)", description: nil, isEnabled: true, targets: ["a"],
                    location: SourceLocation(file: "r.yaml", line: index + 1), condition: condition)
            }
            for finding in RedundantRoutes(routes).findings {
                proved += 1
                for event in events where takes(conditions[finding.route], event) {
                    guard !takes(conditions[finding.container], event) else { continue }
                    Issue.record(
                        """
                        \(conditions[finding.route].phrase)
                        in \(conditions[finding.container].phrase)
                        \(String(decoding: event.payload, as: UTF8.self))
                        """)
                    return
                }
            }
        }
        #expect(proved > 0)
    }
}
