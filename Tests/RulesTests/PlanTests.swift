import Events
import JSON
import Testing
import YAML

@testable import Rules

@Suite("Plans")
struct PlanTests {
    @Test("a disabled route is checked and left out")
    func disabled() throws {
        let plan = try routes("routes: [{name: a, enabled: false, to: siem}, {name: b, enabled: true, to: crm}]")
        #expect(plan.routes.map(\.name) == ["b"])
        #expect(plan.targets == ["crm"])
        #expect(
            complaints("routes: [{name: a, enabled: false, to: nowhere}]").contains("no target is called `nowhere`"))
    }

    @Test("the hash is the same for the same rules, and another when a rule, its order or its target changes")
    func hash() throws {
        let text = "routes:\n  - {name: a, when: {group: x}, to: siem}\n  - {name: b, to: crm}\n"
        let hash = try routes(text).hash
        #expect(hash.count == 16 && hash.allSatisfy(\.isHexDigit))
        #expect(try routes("# words\n" + text + "  - {name: c, enabled: false, to: siem}\n").hash == hash)
        for (from, to) in [
            ("group: x", "group: y"), ("group: x", "site: x"), ("crm", "siem"), ("name: b", "name: c"),
            ("group: x", "group: {not: x}"),
        ] {
            #expect(try routes(text.replacingOccurrences(from, to)).hash != hash, "\(to)")
        }
        #expect(try routes("routes: [{name: b, to: crm}, {name: a, when: {group: x}, to: siem}]").hash != hash)
        #expect(try plan(when: "{group: [\"a,b\"]}").hash != plan(when: "{group: [a, b]}").hash)
        #expect(RulePlan.empty.hash == RulePlan([]).hash)
    }

    @Test(
        "routes are found by what is there, or taken away by it; only what neither leads to is looked at always",
        arguments: [
            ("{group: a}", false), ("{group: {not: b}, site: 1}", false), ("{any: [{group: a}, {site: 1}]}", false),
            ("{all: [{any: [{group: a}, {group: b}]}, {visitor: {email: {is: present}}}]}", false),
            ("{group: {exactly: a}}", false),
            ("{event: visitor.*}", false), ("{not: {group: a}}", false), ("{group: {is: absent}}", false),
            ("{any: [{group: a}, {site: {is: present}}]}", false), ("{}", false), ("{not: {not: {group: a}}}", false),
            ("{not: {group: a, site: 1}}", true), ("{any: [{group: a}, {site: {is: absent}}]}", true),
            ("{not: {any: [{group: a}, {site: {is: blank}}]}}", false),
        ])
    func residual(_ condition: String, _ expected: Bool) throws {
        #expect(try plan(when: condition).residualRoutes.isEmpty == !expected)
    }

    @Test(
        "the reasons are the rule's own words, and only those that held",
        arguments: [
            ("{group: Contractor, site: [4567, 8910]}", ["group is Contractor", "site is one of 4567, 8910"]),
            ("{personal: {role: {not: Director}}}", ["personal \"role\" is not Director"]),
            ("{personal: {role: {not: [A, B]}}}", ["personal \"role\" is none of A, B"]),
            ("{additional: {NDA signed: {is: blank}}}", ["additional \"NDA signed\" is blank"]),
            ("{visitor: {email: {not: {is: [absent, \"null\"]}}}}", ["visitor.email is not absent or null"]),
            (
                "{event: visitor.*, any: [{group: Staff}, {group: contractor, site: {name: hq}}]}",
                ["event is visitor.*", "group is contractor", "site.name is hq"]
            ),
            ("{not: {group: Staff, site: 4567}}", ["not (group is Staff and site is 4567)"]),
            (
                "{not: {any: [{group: Staff}, {site: 1, source: sydney}]}}",
                ["not (group is Staff or (site is 1 and source is sydney))"]
            ),
            ("{group: {exactly: Contractor}}", ["group is exactly Contractor"]),
            ("{site: [1, 2, 3, 4, 5, 6, 4567]}", ["site is one of 1, 2, 3, 4, 5 and 2 more"]),
            ("{personal: {nick: \"\"}}", ["personal \"nick\" is empty"]),
            ("{}", ["takes every event"]),
        ])
    func reasons(_ condition: String, _ expected: [String]) throws {
        let data =
            #"{"group":{"name":"Contractor"},"site":{"id":"4567","name":"HQ"},"visitor":{"email":"john@example.com"},"personal":{"role":"Plumber","nick":" "}}"#
        let plan = try plan(when: condition)
        let event = try event(data)
        var scratch = MatchScratch()
        #expect(plan.match(event, scratch: &scratch).count == 1)
        let reasons = plan.reasons(0, event)
        #expect(reasons == expected)
        #expect(!reasons.joined().contains("john") && !reasons.joined().contains("Plumber"))
    }

    @Test("one scratch serves plan after plan and event after event")
    func scratch() throws {
        let first = try plan(when: "{group: a}")
        let second = try plan(when: "{site: {not: 1}, group: {not: a}}")
        var scratch = MatchScratch()
        let a = try event(#"{"group":{"name":"a"}}"#)
        let b = try event(#"{"group":{"name":"b"}}"#)
        for _ in 0..<3 {
            #expect(first.match(a, scratch: &scratch).count == 1 && first.match(b, scratch: &scratch).isEmpty)
            #expect(second.match(a, scratch: &scratch).isEmpty && second.match(b, scratch: &scratch).count == 1)
        }
        #expect(RulePlan.empty.match(a, scratch: &scratch).isEmpty)
        for _ in 0..<1000 { _ = second.match(a, scratch: &scratch) }
        #expect(scratch.main.found.count < 10, "what is kept of one event does not pile up")
    }

    @Test("a long text of a visitor is compared like any other")
    func longText() throws {
        let plan = try plan(
            when: "{any: [{visitor: {name: {is: blank}}}, {visitor: {name: x}}, {additional: {k: [x]}}]}")
        var scratch = MatchScratch()
        let long = String(repeating: "é", count: 64 << 10)
        let spaces = String(repeating: " ", count: 64 << 10)
        #expect(
            plan.match(try event(#"{"visitor":{"name":"\#(long)"},"additional":{"k":"\#(long)"}}"#), scratch: &scratch)
                .isEmpty)
        #expect(plan.match(try event(#"{"visitor":{"name":"\#(spaces)"}}"#), scratch: &scratch).count == 1)
        #expect(plan.match(try event(#"{"visitor":{"name":"\#(spaces)X\#(spaces)"}}"#), scratch: &scratch).count == 1)
    }

    @Test("a condition by itself filters events, and is checked as in a route")
    func filter() throws {
        let filter = try RuleFilter("{site: 4567, source: somewhere}")
        var scratch = MatchScratch()
        #expect(filter.takes(try event(#"{"site":{"id":"4567"},"source":"somewhere"}"#), scratch: &scratch))
        #expect(!filter.takes(try event("{}"), scratch: &scratch))
        #expect(throws: Diagnostics.self) { try RuleFilter("{sit: 4567}") }
        #expect(throws: Diagnostics.self) { try RuleFilter("") }
        #expect(throws: Diagnostics.self) { try RuleFilter("{source: somewhere}", environment: environment) }
    }
}
