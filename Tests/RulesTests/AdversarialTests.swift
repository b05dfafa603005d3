import Events
import JSON
import Testing
import YAML

@testable import Rules

/// Rules and texts that are slow to match for those who look at one rule after the other, or at one place of a text
/// after the other. What is counted is steps of work, not time.
@Suite("Hostile rules and texts")
struct AdversarialTests {
    private static let name = FieldPath.field(.visitorName)

    private func route(_ index: Int, _ condition: Condition) -> Route {
        let location = SourceLocation(file: "r.yaml", line: index + 1, column: 1)
        return Route(
            name: "r\(index)", description: nil, isEnabled: true, targets: ["siem"], location: location,
            condition: condition)
    }

    private func leaf(_ test: Leaf.Test, _ path: FieldPath = name) -> Condition {
        .leaf(
            Leaf(path: path, name: path.text, test: test, location: SourceLocation(file: "r.yaml", line: 1, column: 1)))
    }

    private func pattern(_ text: String) -> TextPattern { TextPattern(text: text, folded: Array(text.utf8)) }

    private func event(name: String) throws -> EventView {
        let text = #"{"type":"visitor.signin","data":{"visitor":{"name":"\#(name)"}}}"#
        return try #require(try EventView(parsing: Array(text.utf8), with: JSONParser()))
    }

    @Test("100 000 routes that each look for a text in the name cost the name's length and the answers")
    func manyContains() throws {
        let plan = RulePlan(
            (0..<100_000).map { route($0, leaf(.text(.contains, [pattern("person \($0)!")]))) })
        var scratch = MatchScratch()
        let filler = String(repeating: "person 12345 person 9999 ", count: 2700)
        let text = String(filler.prefix(64 << 10)) + "person 4711! person 99999!"
        #expect(plan.routes(taking: try event(name: text), scratch: &scratch) == [4711, 99_999])
        #expect(scratch.main.work < 2 * text.utf8.count)
        #expect(plan.routes(taking: try event(name: "nobody"), scratch: &scratch) == [])
        #expect(scratch.main.work < 100)
    }

    @Test("patterns that end within one another are each reported once")
    func nested() throws {
        let plan = RulePlan(
            (1...500).map { route($0, leaf(.text(.contains, [pattern(String(repeating: "a", count: $0))]))) })
        var scratch = MatchScratch()
        let text = String(repeating: "a", count: 64 << 10)
        #expect(plan.routes(taking: try event(name: text), scratch: &scratch).count == 500)
        #expect(scratch.main.work < text.utf8.count + 4 * 500)
    }

    @Test(
        "a pattern of many ways to match costs the text's length once",
        arguments: ["*a*a*a*a*b", "*a?a?a?a*b", "*aaaaaaaaaaaaaaaaaaaab", "a*a*a*a*?*b", "*?????????b*"])
    func globs(_ glob: String) throws {
        let plan = RulePlan([route(0, leaf(.text(.like, [pattern(glob)])))])
        var scratch = MatchScratch()
        let text = String(repeating: "a", count: 64 << 10)
        #expect(plan.routes(taking: try event(name: text), scratch: &scratch) == [])
        #expect(scratch.main.work < 3 * text.utf8.count)
        #expect(plan.routes(taking: try event(name: text + "b"), scratch: &scratch) == [0])
    }

    @Test(
        "laying a glob on a text takes no more than a few steps for each byte",
        arguments: ["*a*a?a*b*c", "*a?a?ab*c", "*aaaaab*c", "*a?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab*c"])
    func globsAreLinear(_ glob: String) {
        let text = [UInt8](repeating: UInt8(ascii: "a"), count: 64 << 10) + Array("c".utf8)
        var steps = 0
        #expect(!GlobSearch(Array(glob.utf8)).fits(text, 0..<text.count, steps: &steps))
        #expect(steps >= text.count - 10 && steps < 4 * text.count)
    }

    @Test("an expression of nested repetitions costs the text's length once")
    func expression() throws {
        let plan = RulePlan([route(0, leaf(.matches([try RegularExpression("(a+)+$")])))])
        var scratch = MatchScratch()
        let text = String(repeating: "a", count: 64 << 10)
        #expect(plan.routes(taking: try event(name: text + "!"), scratch: &scratch) == [])
        #expect(scratch.main.work < 2 * text.utf8.count)
        #expect(plan.routes(taking: try event(name: text), scratch: &scratch) == [0])
    }

    @Test("expressions are only tried where the text they need stands")
    func requiredTexts() throws {
        let plan = RulePlan(
            try (0..<500).map { route($0, leaf(.matches([try RegularExpression("(?i)^person \($0)[.!]+$")]))) })
        var scratch = MatchScratch()
        #expect(plan.residualRoutes.isEmpty)
        #expect(plan.routes(taking: try event(name: "Person 42!!"), scratch: &scratch) == [42])
        // 4 and 42 are tried, and the text is read for each and for what it holds.
        #expect(scratch.main.work < 100)
    }

    @Test("100 000 routes that negate something else each cost the answers, and what is taken away")
    func negations() throws {
        let routes = (0..<100_000).map { index in
            route(
                index,
                .not(
                    leaf(
                        .equals(
                            [Literal(text: "", keys: [.text(Array("person \(index)".utf8))])], exactly: false))))
        }
        let plan = RulePlan(routes)
        var scratch = MatchScratch()
        #expect(plan.residualRoutes.isEmpty)
        let taken = plan.routes(taking: try event(name: "Person 77"), scratch: &scratch)
        #expect(taken.count == 99_999 && !taken.contains(77))
        #expect(scratch.main.work < 2 * 100_000 / 64 + 100)
    }

    @Test("a number nobody can compare is looked at once, and only by the routes that ask it")
    func hugeNumbers() throws {
        let zero = OrderedNumber("0".utf8).map { NumberRange.Bound(text: "0", number: $0, isIncluded: true) }
        let path = FieldPath.entry(.personal, Array("age".utf8))
        let range = leaf(.number(NumberRange(lower: zero, upper: nil)), path)
        let plan = RulePlan(
            (0..<1000).map { index in
                let other = leaf(
                    .equals([Literal(text: "", keys: [.text(Array("\(index)".utf8))])], exactly: false))
                return route(index, .all([other, range]))
            })
        var scratch = MatchScratch()
        let text = #"{"type":"visitor.signin","data":{"visitor":{"name":"7"},"personal":{"age":1e99}}}"#
        let event = try #require(try EventView(parsing: Array(text.utf8), with: JSONParser()))
        #expect(plan.routes(taking: event, scratch: &scratch) == [])
        #expect(plan.failedRoutes(scratch) == [7])
        #expect(scratch.main.work < 20)
    }
}
