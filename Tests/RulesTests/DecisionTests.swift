import Events
import Testing
import YAML

@testable import Rules

@Suite("Decisions")
struct DecisionTests {
    private func read(
        _ text: String, team: Team? = nil, routes: String? = nil, environment: RuleEnvironment = environment
    ) -> RuleFiles {
        RuleLoader.read(
            routes.map { [("r.yaml", Array($0.utf8))] } ?? [], team: team, environment: environment,
            decisions: ("d.yaml", Array(text.utf8)))
    }

    private func plan(_ files: RuleFiles) throws -> DecisionPlan {
        try #require(files.diagnostics.isEmpty, "\(files.diagnostics)")
        return try DecisionPlan(files.decisions, fallback: files.fallback ?? .deny)
    }

    private func ruling(_ plan: DecisionPlan, _ data: String) throws -> String {
        var scratch = MatchScratch()
        let event = try event(data, type: "visitor.signin.requested")
        switch plan.ruling(on: event, scratch: &scratch) {
        case .none: return "none"
        case .undecided(let decision): return "undecided \(decision.name)"
        case .decision(let decision):
            switch decision.ruling {
            case .ask(let question): return "\(decision.name): ask \(question.target)"
            case .answer(let answer):
                return "\(decision.name): \(answer.outcome) \(answer.message?.text(for: event) ?? "-")"
            }
        }
    }

    private static let example = """
        decisions:
          - name: contractors-need-an-induction
            when: {group: Contractor, additional: {Induction done: {is: blank}}}
            deny: "Please complete the induction at {site.name} first."
          - name: staff-and-expected-guests
            when: {visitor: {email: {domain: acme.com}}}
            admit: {visitor_notes: "Welcome back, {visitor.first_name}", admin_notes: "{{by rule}}"}
          - name: watch-list
            when: {visitor: {email: {in_list: watch}}}
            review: "On the watch list"
          - name: ask-the-access-system
            when: {site: 4567}
            ask: {target: crm, timeout: 3s, on_failure: review}
        default: review
        lists: {watch: watch.txt}
        """

    @Test("the first that takes a visitor rules; no other is asked")
    func first() throws {
        let plan = try plan(read(Self.example))
        #expect(plan.fallback == .review)
        let cases = [
            (
                #"{"group":{"name":"contractor"},"site":{"id":"4567","name":"Acme Co"},"visitor":{"email":"x@acme.com"}}"#,
                "contractors-need-an-induction: deny Please complete the induction at Acme Co first."
            ),
            (
                #"{"group":{"name":"Contractor"},"additional":{"Induction done":"yes"},"visitor":{"email":"ann@acme.com"}}"#,
                "staff-and-expected-guests: admit -"
            ),
            (#"{"visitor":{"email":"BOB"}}"#, "watch-list: review On the watch list"),
            (#"{"site":{"id":"4567"}}"#, "ask-the-access-system: ask crm"),
            (#"{"site":{"id":"1"}}"#, "none"),
        ]
        for (data, expected) in cases { #expect(try ruling(plan, data) == expected, "\(data)") }
    }

    @Test("what is read of an example is what is written")
    func reading() throws {
        let files = read(Self.example)
        guard case .answer(let admitted) = files.decisions[1].ruling,
            case .ask(let question) = files.decisions[3].ruling
        else {
            Issue.record("another kind")
            return
        }
        #expect(admitted.visitorNotes?.source == "Welcome back, {visitor.first_name}")
        let event = try event(#"{"visitor":{"first_name":"Ann"}}"#)
        #expect(admitted.visitorNotes?.text(for: event) == "Welcome back, Ann")
        #expect(admitted.adminNotes?.text(for: event) == "{by rule}")
        #expect(question == DecisionQuestion(target: "crm", timeout: .seconds(3), failure: DecisionAnswer(.review)))
        let plain = read("decisions: [{name: a, ask: {target: crm}}, {name: b, when: {group: x}, deny: }]\n")
        guard case .ask(let first) = plain.decisions[0].ruling else {
            Issue.record("another kind")
            return
        }
        #expect(first.failure == DecisionAnswer(.deny), "closed unless said otherwise")
        guard case .answer(let second) = plain.decisions[1].ruling else {
            Issue.record("another kind")
            return
        }
        #expect(second == DecisionAnswer(.deny))
    }

    @Test("a disabled decision is checked and never asked")
    func disabled() throws {
        let text = "decisions: [{name: a, enabled: false, deny: x}, {name: b, admit: {}}]\n"
        #expect(try ruling(plan(read(text)), "{}") == "b: admit -")
    }

    @Test("what cannot be decided before a decision takes the visitor gives the default, and says which it was")
    func undecided() throws {
        let night = "{time: {within: {from: \"22:00\", to: \"06:00\"}}}"
        let text =
            "decisions: [{name: a, when: {group: x}, admit: {}}, {name: night, when: \(night), deny: x}, {name: b, admit: {}}]\n"
        let plan = try plan(read(text))
        #expect(try ruling(plan, #"{"group":{"name":"x"}}"#) == "a: admit -")
        var scratch = MatchScratch()
        let event = try event("{}", time: "2024-07-30T23:00:00Z")
        guard case .undecided(let decision) = plan.ruling(on: event, scratch: &scratch) else {
            Issue.record("decided without a zone")
            return
        }
        #expect(decision.name == "night")
    }

    @Test(
        "a field in a message is its value, whatever stands in it; what is absent is empty",
        arguments: [
            ("Hello {visitor.name}!", "Hello {visitor.email}</b>\"!"), ("{visitor.company}", ""),
            ("{site} {site.name}", "4567 "), ("{group}", "Guest"), ("{personal.Car Reg}", "A.1"),
            ("{additional.a.b}", "x, 7"), ("{{{group}}}", "{Guest}"), ("}}{{", "}{"), ("{event}", "visitor.signin"),
            ("{visitor.returning}", "true"),
        ])
    func messages(_ written: String, _ shown: String) throws {
        let files = read("decisions: [{name: a, deny: \(quoted(written))}]\n")
        try #require(!files.diagnostics.hasErrors, "\(files.diagnostics)")
        guard case .answer(let answer) = files.decisions[0].ruling else {
            Issue.record("no answer")
            return
        }
        let event = try event(
            #"{"visitor":{"name":"{visitor.email}</b>\"","email":"secret","returning":true},"site":{"id":"4567","name":null},"group":{"name":"Guest"},"personal":{"Car Reg":"A.1"},"additional":{"a.b":["x",7]}}"#
        )
        #expect(answer.message?.text(for: event) == shown)
    }

    @Test("a message is cut where it gets too long, between characters")
    func longMessages() throws {
        let files = read("decisions: [{name: a, deny: \"x{visitor.name}\"}]\n")
        guard case .answer(let answer) = files.decisions[0].ruling else {
            Issue.record("no answer")
            return
        }
        let event = try event("{\"visitor\":{\"name\":\"\(String(repeating: "é", count: 5000))\"}}")
        let text = try #require(answer.message?.text(for: event))
        #expect(text == "x" + String(repeating: "é", count: 999))
    }

    @Test("a team's decisions are asked only of its own visitors, are told with its name, and name its targets")
    func teams() throws {
        let files = try read("decisions: [{name: a, deny: x}]\n", team: team())
        #expect(files.decisions.map(\.name) == ["london/a"])
        let plan = try plan(files)
        #expect(try ruling(plan, #"{"site":{"key":"london"}}"#) == "london/a: deny x")
        #expect(try ruling(plan, #"{"site":{"key":"hq"}}"#) == "none")
        let wrong = try read("decisions: [{name: a, ask: {target: crm}}]\ndefault: admit\n", team: team())
        #expect(
            wrong.diagnostics.description == """
                d.yaml:1:37: team london has no target called `crm`; it has siem, london-desk
                d.yaml:2:1: `default:` stands only in the main file: whom no decision of any team takes
                """)
    }

    @Test("lists, conditions and calendars of one owner are known in its decisions and its routes alike")
    func names() {
        let routes =
            "conditions: {guest: {group: Guest}}\nroutes: [{name: r, to: siem, when: {group: {in_list: watch}}}]\n"
        let files = read(
            "\(watchList)decisions: [{name: a, when: {condition: guest}, admit: {}}]\n", routes: routes)
        #expect(files.diagnostics.isEmpty, "\(files.diagnostics)")
        #expect(files.routes.count == 1 && files.decisions.count == 1)
    }

    @Test("tests of decisions say what must be decided")
    func tests() {
        let files = read(
            """
            decisions: [{name: a, admit: {}}]
            tests:
              - {name: t, given: {sample: sine/signin_before}, decision: deny, message: "No"}
            """)
        #expect(files.diagnostics.isEmpty, "\(files.diagnostics)")
        #expect(files.tests.first?.decision == .deny)
        #expect(files.tests.first?.message == "No")
        #expect(
            read("tests: [{name: t, given: {event: {}}, to: siem}]\n").diagnostics.description.contains(
                "unknown key `to` in a test; known are name, given, decision, message"))
    }

    @Test(
        "an error says what is wrong and where",
        arguments: [
            ("decisions: [{name: a}]", "1:13: a decision needs one of `admit:`, `review:`, `deny:` and `ask:`"),
            (
                "decisions: [{name: a, admit: {}, deny: x}]",
                "1:34: a decision takes one of `admit:`, `review:`, `deny:` and `ask:`, not 2"
            ),
            ("decisions: [{name: a, admit: x}]", "1:30: who is admitted gets notes, not a message"),
            (
                "decisions: [{name: a, deny: \"{visitor.fist_name}\"}]",
                "names no field of an event (did you mean {visitor.first_name}?)"
            ),
            ("decisions: [{name: a, deny: \"Hi {visitor\"}]", "1:29: a `{` is never closed"),
            ("decisions: [{name: a, deny: {visitor_notes: x}}]", "unknown key `visitor_notes` in `deny:`"),
            ("decisions: [{name: a, when: {grup: x}, deny: x}]", "1:30: unknown field `grup`"),
            ("decisions: [{name: a, ask: {target: fax}}]", "1:37: no target is called `fax`"),
            ("decisions: [{name: a, ask: {}}]", "1:28: `ask:` needs `target:`"),
            ("decisions: [{name: a, ask: {target: crm, timeout: 2h}}]", "1:51: "),
            ("decisions: [{name: a, ask: {target: crm, on_failure: let}}]", "1:54: "),
            (
                "decisions: [{name: a, deny: x}, {name: a, deny: y}]",
                "1:40: a decision called `a` is already at d.yaml:1:20"
            ),
            ("decisions: []\ndefault: maybe", "2:10: "),
            (
                "routes: []",
                "unknown key `routes` in a file of decisions; known are decisions, default, conditions, calendars, lists, tests"
            ),
            ("{}", "the file is empty; a file of decisions has `decisions:`"),
        ])
    func errors(_ text: String, _ expected: String) {
        let found = read(text + "\n").diagnostics.description
        #expect(found.contains(expected), "\(found)")
    }
}
