import Events
import Testing
import YAML

@testable import Rehearsal
@testable import Rules

@Suite("Route tests") struct RouteTestRunTests {
    private static let routes = """
        conditions:
          outsiders: {not: {group: Staff}}
          nobody: {group: Nobody}
        routes:
          - {name: signins, when: {event: visitor.signin}, to: siem}
          - {name: contractors, when: {group: Contractor, condition: outsiders}, to: [siem, crm]}
          - {name: nobody, when: {condition: nobody}, to: desk}

        """

    private func run(_ tests: String) throws -> (results: [RouteTestResult], coverage: TestCoverage) {
        let rules = try rules(Self.routes + "tests:\n" + tests)
        var run = RouteTestRun(
            plan: rules.plan, events: builder)
        let results = rules.tests.map { run.run($0) }
        return (results, run.coverage)
    }

    @Test("hold when the event goes where they say, and nowhere else")
    func holding() throws {
        let (results, _) = try run(
            """
              - {name: a, given: {sample: signinapp/visitor.signin, set: {group: Contractor}}, to: [crm, siem]}
              - {name: b, given: {sample: signinapp/visitor.signin, set: {group: Contractor}}, routes: [contractors, signins]}
              - {name: c, given: {sample: signinapp/visitor.signout}, to: [], routes: []}
            """)
        #expect(results.map(\.holds) == [true, true, true], "\(results.flatMap(\.explanation))")
    }

    @Test("tell every target that is missing or too many, and the routes that brought it there")
    func targets() throws {
        let (results, _) = try run(
            "  - {name: a, given: {sample: signinapp/visitor.signin}, to: [crm]}\n")
        let lines = results[0].explanation
        #expect(lines.contains { $0.hasPrefix("does not go to crm") }, "\(lines)")
        #expect(
            lines.contains { $0.hasPrefix("contractors (r.yaml:6:5) does not take it: group is Contractor, found no") })
        #expect(lines.contains { $0.hasPrefix("goes to siem too, by signins (r.yaml:5:") }, "\(lines)")
        #expect(lines.contains("expected targets: crm; found: siem"), "\(lines)")
    }

    @Test("tell every route that is missing or too many")
    func routeNames() throws {
        let (results, _) = try run(
            "  - {name: a, given: {sample: signinapp/visitor.signin}, routes: [contractors]}\n")
        let lines = results[0].explanation
        #expect(lines.contains { $0.contains("contractors") && $0.contains("does not take it") }, "\(lines)")
        #expect(lines.contains { $0.contains("signins") && $0.contains("takes it too") }, "\(lines)")
        #expect(lines.contains("expected routes: contractors; found: signins"), "\(lines)")
    }

    @Test("fail where there is no event, and say why")
    func noEvent() throws {
        let (results, _) = try run(
            "  - {name: a, given: {sample: signinapp/visitor.singin}, to: []}\n")
        #expect(results[0].isBroken)
        #expect(
            results[0].explanation == [
                "no event: signinapp has no event called `visitor.singin`; it has "
                    + "visitor.signin, visitor.signout (did you mean signinapp/visitor.signin?)"
            ])
    }

    @Test("cover the routes that took an event and the conditions that held")
    func coverage() throws {
        let (_, coverage) = try run(
            "  - {name: a, given: {sample: signinapp/visitor.signin, set: {group: Contractor}}, to: []}\n")
        #expect(coverage.unusedRoutes.map(\.name) == ["nobody"])
        #expect(coverage.unusedConditions.map(\.name) == ["nobody"])
        #expect(coverage.routeCount == 3 && coverage.conditionCount == 2)
        #expect(coverage.unusedConditions[0].location.line == 3)
    }

    @Test("of a team look at its own routes only")
    func teams() throws {
        var rules = try rules(
            Self.routes + "tests:\n  - {name: a, given: {sample: signinapp/visitor.signin}, to: [siem]}\n")
        var routes = rules.plan.routes
        routes[0].team = "london"
        routes[1].team = "london"
        rules.tests[0].team = "london"
        func holds(_ team: String?) -> Bool {
            var test = rules.tests[0]
            test.team = team
            var run = RouteTestRun(
                plan: RulePlan(routes), events: builder)
            return run.run(test).holds
        }
        #expect(holds("london") && holds(nil))
        routes[0].team = "paris"
        #expect(!holds("london") && holds(nil))
    }
}

@Suite("Tests of decisions") struct DecisionTestRunTests {
    private static let decisions = """
        conditions: {guests: {group: Guest}}
        decisions:
          - {name: contractors, when: {group: Contractor}, deny: "See {host.name}"}
          - {name: guests, when: {condition: guests}, admit: {visitor_notes: Hello}}
          - {name: asked, when: {group: Vendor}, ask: {target: crm}}
          - {name: night, when: {group: Night, time: {within: {from: "00:00", to: "24:00", zone: UTC}}}, review: }
          - {name: unknown, when: {group: Nowhere, time: {within: {days: mon-sun}}}, admit: {}}

        """

    private func run(
        _ tests: String, fallback: String = "deny"
    ) throws -> (results: [RouteTestResult], coverage: TestCoverage) {
        let files = RuleLoader.read(
            [], environment: environment,
            decisions: ("d.yaml", Array("\(Self.decisions)default: \(fallback)\ntests:\n\(tests)".utf8)))
        try #require(!files.diagnostics.hasErrors, "\(files.diagnostics)")
        let plan = try DecisionPlan(files.decisions, fallback: files.fallback ?? .deny)
        var run = RouteTestRun(plan: .empty, decisions: plan, events: builder)
        return (files.tests.map { run.run($0) }, run.coverage)
    }

    private func given(_ group: String) -> String { "given: {sample: sine/signin_before, set: {group: \(group)}}" }

    @Test("hold when the visitor gets what they say, with the message where that is asked")
    func holding() throws {
        let (results, coverage) = try run(
            """
              - {name: a, given: {sample: sine/signin_before, set: {group: Contractor, host: {name: Ann}}}, decision: deny, message: See Ann}
              - {name: b, \(given("Guest")), decision: admit}
              - {name: c, \(given("Vendor")), decision: ask}
              - {name: d, \(given("Night")), decision: review, message: Please see the reception.}
              - {name: e, \(given("Other")), decision: deny, message: Please see the reception.}
            """)
        #expect(results.map(\.holds) == [true, true, true, true, true], "\(results.flatMap(\.explanation))")
        #expect(coverage.decisionCount == 5 && coverage.unusedDecisions.map(\.name) == ["unknown"])
        #expect(coverage.unusedConditions.isEmpty && coverage.conditionCount == 1)
    }

    @Test("tell what was decided and by what, and why what was meant did not take the visitor")
    func failing() throws {
        let (results, _) = try run(
            """
              - {name: a, \(given("Contractor")), decision: admit}
              - {name: b, \(given("Other")), decision: admit}
              - {name: c, \(given("Contractor")), decision: deny, message: Other}
              - {name: d, \(given("Guest")), decision: admit, message: Hello}
            """, fallback: "review")
        #expect(results.allSatisfy { !$0.holds && !$0.isBroken })
        #expect(
            results[0].explanation == [
                "the outcome is deny, by contractors (d.yaml:3:5)", "expected decision: admit; found: deny",
            ])
        let second = results[1].explanation
        #expect(second.first == "the outcome is review, by the default, as no decision takes the visitor")
        #expect(
            second.contains { $0.hasPrefix("guests (d.yaml:4:5) does not take it: condition guests: group is Guest") },
            "\(second)")
        #expect(second.last == "expected decision: admit; found: review")
        #expect(results[2].explanation.first?.hasPrefix("the message is not \"Other\" but \"See ") == true)
        #expect(results[3].explanation.first == "the message is not \"Hello\" but none")
    }

    @Test("what cannot be decided gets the default, and the decision is named")
    func undecided() throws {
        let event =
            #"{"type": "visitor.signin.requested", "time": "2024-07-30T09:00:00Z", "data": {"group": {"name": "Nowhere"}}}"#
        let (results, _) = try run("  - {name: a, given: {event: \(event)}, decision: admit}\n")
        #expect(
            results[0].explanation.first
                == "the outcome is deny, by the default, as unknown (d.yaml:7:5) cannot be decided")
    }

    @Test("a sender whose source decides is read as one that asks")
    func asks() throws {
        let files = RuleLoader.read(
            [], environment: environment,
            decisions: (
                "d.yaml",
                Array(
                    """
                    decisions: [{name: a, when: {event: visitor.signin.requested}, admit: {}}]
                    tests: [{name: t, given: {sample: envoy/entry_sign_in}, decision: admit}]
                    """.utf8)
            ))
        var run = RouteTestRun(
            plan: .empty, decisions: try DecisionPlan(files.decisions, fallback: .deny), events: builder)
        #expect(run.run(try #require(files.tests.first)).holds)
        #expect(try builder.sample("envoy/entry_sign_in").type == "visitor.signin")
    }
}

@Suite("JUnit reports") struct JUnitReportTests {
    @Test("count and name every case, and are well-formed whatever the names are")
    func hostile() throws {
        let rules = try rules(
            """
            routes:
              - {name: r, when: {event: visitor.signin}, to: siem}
            tests:
              - {name: "<a> & \\"b\\" 'c' ]]> \\u0007\\u202e", given: {sample: signinapp/visitor.signin}, to: []}
              - {name: fine, given: {sample: signinapp/visitor.signin}, to: siem}
              - {name: broken, given: {sample: signinapp/nothing}, to: siem}
            """)
        var run = RouteTestRun(plan: rules.plan, events: builder)
        let text = JUnitReport.text(rules.tests.map { run.run($0) })
        #expect(text.hasPrefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"))
        #expect(text.contains("<testsuites name=\"gatehouse\" tests=\"3\" failures=\"1\" errors=\"1\">"))
        #expect(text.contains("name=\"&lt;a&gt; &amp; &quot;b&quot; &apos;c&apos; ]]&gt; \\u{7}"))
        #expect(text.contains("<testcase name=\"fine\" classname=\"r.yaml\" file=\"r.yaml\" line=\"5\"/>"))
        #expect(text.contains("<failure message=\"goes to siem too"))
        #expect(text.contains("<error message=\"no event: signinapp has no event"))
        let scalars = text.unicodeScalars
        #expect(!scalars.contains { $0.value < 0x20 && $0 != "\n" })
    }
}

@Suite("Comparing plans") struct PlanComparisonTests {
    @Test("tells what goes elsewhere, with the routes responsible, and counts it")
    func differences() throws {
        let old = try rules(
            """
            routes:
              - {name: signins, when: {event: visitor.signin}, to: [siem, crm]}
              - {name: staff, when: {group: Staff}, to: desk}
            """)
        let new = try rules(
            """
            routes:
              - {name: signins, when: {event: visitor.signin}, to: siem}
              - {name: signouts, when: {event: visitor.signout}, to: siem}
              - {name: staff, when: {group: Staff}, to: desk}
            """)
        var comparison = PlanComparison(old: old.plan, new: new.plan)
        let signin = try #require(try comparison.compare(builder.sample("signinapp/visitor.signin")))
        #expect(signin.gained.isEmpty && signin.lost == [.init(target: "crm", routes: ["signins"])])
        let signout = try #require(try comparison.compare(builder.sample("signinapp/visitor.signout")))
        #expect(signout.lost.isEmpty && signout.gained == [.init(target: "siem", routes: ["signouts"])])
        #expect(try comparison.compare(builder.sample("sine/invitation_created")) == nil)
        #expect(comparison.events == 3 && comparison.changed == 2)
        #expect(comparison.targets == ["crm": .init(gained: 0, lost: 1), "siem": .init(gained: 1, lost: 0)])
        #expect(comparison.routes == ["signins": .init(gained: 0, lost: 1), "signouts": .init(gained: 1, lost: 0)])
    }
}
