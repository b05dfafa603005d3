import Events
import Testing
import YAML

@testable import Rules

/// An environment with an Envoy source that decides and a Sine source.
private let waiting: RuleEnvironment = {
    var environment = environment
    environment.waiting = [
        WaitingSource(name: "sydney", vendor: "sine", types: ["visitor.signin.requested"]),
        WaitingSource(
            name: "lobby", vendor: "envoy",
            types: ["visitor.signin.requested", "visitor.watchlist.review", "visitor.watchlist.denied", "other"]),
    ]
    return environment
}()

private func read(_ text: String, team: Team? = nil) throws -> RuleFiles {
    let files = RuleLoader.read([], team: team, environment: waiting, decisions: ("d.yaml", Array(text.utf8)))
    try #require(!files.diagnostics.hasErrors, "\(files.diagnostics)")
    return files
}

/// What is warned of a decision that asks this.
private func warnings(_ condition: String, team: Team? = nil) throws -> [String] {
    try read("decisions: [{name: d, when: \(condition), deny: x}]\n", team: team).diagnostics.all.map(\.description)
}

@Suite("Decisions that can take nobody") struct IdleDecisionTests {
    @Test(
        "are told of, with why",
        arguments: [
            ("{group: A, all: [{group: B}]}", "the decision `d` can never match: group is A, and group is B"),
            ("{event: visitor.signin}", "event is visitor.signin, and no request that waits is that"),
            ("{event: [visitor.signin, visitor.signout, invitation.*]}", "no request that waits is that"),
            (
                "{source: london}",
                "source is london, and no request that waits is that; who waits comes in by sydney, lobby"
            ),
            ("{vendor: signinapp}", "no request that waits is that"),
            ("{source: sydney, vendor: envoy}", "no request that waits is that"),
            ("{vendor: sine, event: visitor.watchlist.review}", "no request that waits is that"),
            ("{event: {not: visitor.*}, vendor: sine}", "no request that waits is that"),
            ("{any: [{event: visitor.signin}, {source: london}]}", "no request that waits is that"),
            ("{decision: {outcome: deny}}", "it asks what was decided (decision.outcome is deny)"),
            ("{decision: {reason: {is: present}}}", "which is not known before it"),
        ])
    func told(_ condition: String, _ text: String) throws {
        let found = try warnings(condition)
        #expect(found.count == 1 && found[0].contains(text), "\(condition): \(found)")
    }

    @Test(
        "are not made up",
        arguments: [
            "{}", "{event: visitor.signin.requested}", "{event: visitor.*}", "{event: visitor.watchlist.review}",
            "{vendor: envoy, event: other}", "{source: [london, lobby]}", "{source: {not: london}}",
            "{any: [{event: visitor.signin}, {group: A}]}", "{decision: {outcome: {is: absent}}}",
            "{not: {event: visitor.signin}}", "{visitor: {email: {in_list: watch}}}",
        ])
    func silent(_ condition: String) throws {
        let list = condition.contains("in_list") ? watchList : ""
        let found = try read(list + "decisions: [{name: d, when: \(condition), deny: x}]\n").diagnostics
        #expect(found.isEmpty, "\(condition): \(found)")
    }

    @Test("because of their team's scope say so; a bare site id is told of as in routes")
    func others() throws {
        let confined = try warnings("{site: {key: hq}}", team: try team())
        #expect(confined.count == 1 && confined[0].contains("can never match within its scope"), "\(confined)")
        let bare = try warnings("{site: 12}")
        #expect(bare.count == 1 && bare[0].contains("the site id 12 is used by london and lobby"), "\(bare)")
    }

    @Test("are told at the place of what they ask")
    func place() throws {
        #expect(try warnings("{group: A, event: visitor.signin}")[0].hasPrefix("d.yaml:1:"))
        let found = try read("decisions:\n  - name: d\n    when:\n      event: visitor.signin\n    deny: x\n")
            .diagnostics
        #expect(found.description.hasPrefix("d.yaml:4:"), "\(found)")
    }
}

@Suite("Decisions that are never asked") struct UnreachableDecisionTests {
    private func findings(_ conditions: [String]) throws -> [UnreachableDecisions.Finding] {
        let lines = conditions.enumerated().map { "  - {name: d\($0), when: \($1), deny: x}\n" }
        return UnreachableDecisions(try read("decisions:\n" + lines.joined()).decisions).findings
    }

    @Test(
        "are found where one before them takes all their visitors",
        arguments: RedundantRouteTests.contained)
    func found(_ inner: String, _ outer: String) throws {
        #expect(try findings([outer, inner]) == [.init(decision: 1, before: 0)], "\(inner) behind \(outer)")
        #expect(try findings([inner, outer]).isEmpty, "\(inner) before \(outer)")
    }

    @Test("are those behind one that may not be decidable, too: then the default rules")
    func undecidable() throws {
        let night = "{any: [{group: A}, {time: {within: {days: mon}}}]}"
        #expect(try findings([night, "{group: A}"]) == [.init(decision: 1, before: 0)])
    }

    @Test("are told of with what is before them, and that it admits whom they would not")
    func told() throws {
        let text = """
            decisions:
              - {name: everybody, admit: {}}
              - {name: banned, when: {group: Banned}, deny: x}
              - {name: off, enabled: false, deny: x}

            """
        let plan = try DecisionPlan(read(text).decisions, fallback: .deny)
        var diagnostics = Diagnostics()
        RuleSetChecks(.empty, decisions: plan).check(targets: [], &diagnostics)
        #expect(
            diagnostics.all.map(\.description) == [
                "d.yaml:3:5: warning: the decision `banned` is never asked: `everybody` (d.yaml:2:5) before it takes every "
                    + "visitor that it would take, and admits them; put it first, or remove it"
            ])
    }

    @Test("are looked for in bounded time, and it is said when that was not enough")
    func bounded() throws {
        let lines = (0..<50).map { "  - {name: d\($0), when: {group: g\($0)}, deny: x}\n" }
        let decisions = try read("decisions:\n" + lines.joined()).decisions
        #expect(UnreachableDecisions(decisions, steps: 100).isCut)
        #expect(!UnreachableDecisions(decisions).isCut)
    }
}
