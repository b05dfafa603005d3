import Events
import JSON
import Testing
import YAML

@testable import Rules

@Suite("What a plan may take, and whom it may take")
struct PlanLimitTests {
    private func route(
        _ name: String, _ line: Int, _ leaf: Leaf.Test, _ path: FieldPath = .field(.visitorName),
        unmatched: Bool = false
    ) -> Route {
        let location = SourceLocation(file: "r.yaml", line: line, column: 1)
        var route = Route(
            name: name, description: nil, isEnabled: true, targets: ["siem"], location: location,
            condition: .leaf(Leaf(path: path, name: path.text, test: leaf, location: location)))
        route.takesUnmatched = unmatched
        return route
    }

    private func contains(_ text: String) -> Leaf.Test {
        .text(.contains, [TextPattern(text: text, folded: Array(text.utf8))])
    }
    private func equals(_ text: String) -> Leaf.Test {
        .equals([Literal(text: text, keys: [.text(TextFolding.key(text))])], exactly: false)
    }

    @Test("a plan that would take more than it may is refused, and the route named at which it became too large")
    func tooLarge() throws {
        let routes = (0..<2000).map { route("r\($0)", $0 + 1, contains("some text of no great length, number \($0)")) }
        let whole = try RulePlan(routes, memoryLimit: RulePlan.memoryLimit)
        #expect(whole.memory > 100_000 && whole.memory < 2000 * 1024)
        #expect(throws: Never.self) { try RulePlan(routes, memoryLimit: whole.memory * 3 / 2) }
        do throws(PlanTooLarge) {
            _ = try RulePlan(routes, memoryLimit: whole.memory / 4)
            Issue.record("it was not refused")
        } catch {
            let number = try #require(Int(error.route.dropFirst()))
            #expect((100..<1500).contains(number))
            #expect(error.location == routes[number].location)
            #expect(error.description.contains("`\(error.route)`"))
        }
    }

    @Test("the memory of a plan is that of its routes, not of what they have in common")
    func shared() {
        let one = RulePlan([route("r", 1, contains("a long text that all of them look for"))])
        let many = RulePlan(
            (0..<1000).map { route("r\($0)", $0 + 1, contains("a long text that all of them look for")) })
        #expect(many.memory < one.memory + 1000 * 32)
    }

    @Test("an unmatched route takes what no other route takes, whatever their order")
    func unmatched() throws {
        let plan = RulePlan([
            route("rest", 1, contains("a"), unmatched: true), route("first", 2, equals("ab")),
            route("more", 3, contains("c"), unmatched: true),
        ])
        var scratch = MatchScratch()
        func taken(_ name: String) throws -> [Int] {
            plan.routes(taking: try event(#"{"visitor":{"name":"\#(name)"}}"#), scratch: &scratch)
        }
        #expect(try taken("ab") == [1])
        #expect(try taken("abc") == [0, 2])
        #expect(try taken("c") == [2])
        #expect(try taken("x") == [])
        #expect(plan.match(try event(#"{"visitor":{"name":"ca"}}"#), scratch: &scratch).map(\.routes) == [[0, 2]])
    }

    @Test(
        "an event of our own is taken by routes that name one under event, and by no others",
        arguments: [("system.started", [1, 2]), ("system.stopped", [2]), ("visitor.signin", [0, 3])])
    func system(_ type: String, _ expected: [Int]) throws {
        let plan = RulePlan([
            route("all", 1, .state([.absent])), route("one", 2, equals("system.started"), .event),
            route(
                "two", 3,
                .equals(
                    ["system.started", "system.stopped"].map { Literal(text: $0, keys: [.text(Array($0.utf8))]) },
                    exactly: false), .event),
            route("present", 4, .state([.present]), .event),
        ])
        var scratch = MatchScratch()
        #expect(plan.routes(taking: try event("{}", type: type), scratch: &scratch) == expected)
    }
}
