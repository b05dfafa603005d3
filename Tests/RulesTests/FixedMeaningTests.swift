import Testing

@testable import Rules

/// The meanings that rules.md fixes, by its numbers.
@Suite("Meanings that are fixed")
struct FixedMeaningTests {
    @Test("1: not on a missing field is true; the strict form also asks that it is present")
    func notOnMissing() throws {
        let role = "{personal: {role: {not: Director}}}"
        #expect(try takes(role, #"{}"#))
        #expect(try takes(role, #"{"personal":{}}"#))
        #expect(try takes(role, #"{"personal":{"role":null}}"#))
        #expect(try takes(role, #"{"personal":{"role":"Clerk"}}"#))
        #expect(try !takes(role, #"{"personal":{"role":"director"}}"#))
        let strict = "{personal: {role: {is: present, not: Director}}}"
        #expect(try !takes(strict, #"{}"#))
        #expect(try !takes(strict, #"{"personal":{"role":null}}"#))
        #expect(try takes(strict, #"{"personal":{"role":"Clerk"}}"#))
    }

    @Test("1 and 2: on a list a value holds if some element does, and not when no element does")
    func lists() throws {
        let data = #"{"additional":{"Areas":["Lab","Roof",7]},"face":{"matches":["a1",12]}}"#
        #expect(try takes("{additional: {Areas: roof}}", data))
        #expect(try takes("{additional: {Areas: [Cellar, Lab]}}", data))
        #expect(try takes("{additional: {Areas: 7.0}}", data))
        #expect(try !takes("{additional: {Areas: Cellar}}", data))
        #expect(try takes("{additional: {Areas: {not: Cellar}}}", data))
        #expect(try !takes("{additional: {Areas: {not: [Cellar, Lab]}}}", data))
        #expect(try takes("{face: {matches: [A1, b2]}}", data))
        #expect(try takes("{face: {matches: 12}}", data))
        #expect(try takes("{additional: {Areas: {not: Lab}}}", #"{"additional":{"Areas":[]}}"#))
        #expect(try !takes("{additional: {Areas: Lab}}", #"{"additional":{"Areas":[["Lab"],{"Lab":1}]}}"#))
    }

    @Test("3: a value of another type than the field's is unequal")
    func mismatch() throws {
        #expect(try !takes("{visitor: {returning: true}}", #"{"visitor":{"returning":"true"}}"#))
        #expect(try !takes("{visitor: {returning: true}}", #"{"visitor":{"returning":1}}"#))
        #expect(try !takes("{visitor: {name: 7}}", #"{"visitor":{"name":7}}"#))
        #expect(try !takes("{face: {attempts: 7}}", #"{"face":{"attempts":"7"}}"#))
        #expect(try !takes("{group: a}", #"{"group":"a"}"#))
        #expect(try !takes("{additional: {A: a}}", #"{"additional":{"A":{"a":"a"}}}"#))
    }

    @Test("3: ids compare as texts on both sides, however they arrived", arguments: ["4567", #""4567""#])
    func ids(_ id: String) throws {
        let data = #"{"site":{"id":\#(id)},"visitor":{"id":\#(id)}}"#
        #expect(try takes("{site: 4567, visitor: {id: \"4567\"}}", data))
        #expect(try !takes("{site: 04567}", data))
        #expect(try !takes("{site: 4567.0}", data))
        #expect(try takes("{site: 04567}", #"{"site":{"id":"04567"}}"#))
    }

    @Test(
        "3: without a declared type, a scalar equals a text as written, a number of its value, a boolean of its word",
        arguments: [
            ("7", "7", true), ("7", "7.0", true), ("7", "70e-1", true), ("7", #""7""#, true), ("7", #""07""#, false),
            ("\"7\"", "7", true), ("07", "7", false), ("07", #""07""#, true), ("7.0", "7", true),
            ("7.0", #""7""#, false),
            ("1e3", "1000", true), ("0", "-0.0", true), ("7", "true", false), ("true", "true", true),
            ("TRUE", "true", true),
            ("\"false\"", "false", true), ("false", "true", false), ("true", #""True""#, true), ("yes", "true", false),
            ("1", "true", false),
            ("10000000000000000000001", "10000000000000000000000", false),
            ("10000000000000000000001", "10000000000000000000001", true),
            ("\"null\"", "null", false), ("\"\"", "null", false),
        ])
    func undeclared(_ rule: String, _ value: String, _ expected: Bool) throws {
        for map in ["personal", "additional"] {
            #expect(try takes("{\(map): {k: \(rule)}}", "{\"\(map)\":{\"k\":\(value)}}") == expected)
        }
    }

    @Test("4: keys of personal and additional match exactly")
    func exactKeys() throws {
        let condition = "{additional: {NDA signed: Yes}}"
        #expect(try takes(condition, #"{"additional":{"NDA signed":"yes"}}"#))
        for key in ["nda signed", "NDA signed ", "NDA  signed", "NDAsigned", "NDA_signed"] {
            #expect(try !takes(condition, #"{"additional":{"\#(key)":"yes"}}"#), "\(key)")
        }
        #expect(try takes(condition, #"{"additional":{"NDA\u0020signed":"yes"}}"#))
        #expect(try !takes("{personal: {e\u{301}: x}}", #"{"personal":{"\#u{E9}":"x"}}"#))
    }

    @Test("5: keys are never split at dots")
    func dots() throws {
        #expect(try takes("{personal: {a.b: x}}", #"{"personal":{"a.b":"x"}}"#))
        #expect(try !takes("{personal: {a.b: x}}", #"{"personal":{"a":{"b":"x"}}}"#))
        #expect(try takes("{personal: {not: x, is: y, any: z}}", #"{"personal":{"not":"x","is":"y","any":"z"}}"#))
    }

    @Test("7: scalars are what was written")
    func asWritten() throws {
        #expect(try takes("{group: No}", #"{"group":{"name":"No"}}"#))
        #expect(try takes("{additional: {Slot: 22:00}}", #"{"additional":{"Slot":"22:00"}}"#))
        #expect(try !takes("{additional: {Slot: 22:00}}", #"{"additional":{"Slot":1320}}"#))
        #expect(try takes("{additional: {Driving: [No, yes]}}", #"{"additional":{"Driving":"NO"}}"#))
    }

    @Test("8: duplicate keys, duplicate names and unknown targets do not load")
    func loadErrors() {
        #expect(
            complaints(when: "{group: a, group: b}")
                == "12: duplicate key `group`, first used on line 2; remove one of the two")
        #expect(
            complaints("routes:\n  - {name: a, to: siem}\n  - {name: a, to: crm}\n")
                == "r.yaml:3:12: a route called `a` is already at r.yaml:2:12")
        #expect(
            complaints("routes: [{name: a, to: seim}]")
                == "r.yaml:1:24: no target is called `seim` (did you mean siem?)")
    }

    @Test(
        "8: a route that can never match is warned of",
        arguments: [
            ("{site: 1, all: [{site: 2}]}", "site is 1, and site is 2"),
            ("{group: {is: absent, equals: a}}", "group is absent, and group is a"),
            ("{group: {is: present, not: {is: present}}}", "group is present, and group is not present"),
            ("{group: a, not: {group: A}}", "group is a, and group is not A"),
            (
                "{event: visitor.*, all: [{event: [pin.ok, pin.failed]}]}",
                "event is visitor.*, and event is one of pin.ok, pin.failed"
            ),
        ])
    func neverMatches(_ condition: String, _ reason: String) {
        #expect(
            complaints("routes: [{name: r, to: siem, when: \(condition)}]")
                == "r.yaml:1:10: warning: the route `r` can never match: \(reason)")
    }

    @Test(
        "8: a route that can match is not",
        arguments: [
            "{site: [1, 2], all: [{site: [2, 3]}]}", "{group: {is: blank, not: {is: absent}}}",
            "{group: {is: present, equals: \"\"}}",
            "{additional: {A: a}, all: [{additional: {A: b}}]}", "{any: [{site: 1}, {site: 2}]}",
            "{group: {not: a, is: absent}}",
            "{event: visitor.*, all: [{event: visitor.signin}]}", "{face: {matches: a}, all: [{face: {matches: b}}]}",
        ])
    func canMatch(_ condition: String) {
        #expect(complaints("routes: [{name: r, to: siem, when: \(condition)}]") == "")
    }

    @Test("10: an event is matched for a target once, with all the routes that took it")
    func once() throws {
        let plan = try routes(
            """
            routes:
              - {name: a, when: {group: x}, to: [siem, crm]}
              - {name: b, to: crm}
              - {name: c, when: {group: y}, to: archive}
              - {name: d, when: {group: {not: y}}, to: [crm, siem]}
            """)
        var scratch = MatchScratch()
        let matches = plan.match(try event(#"{"group":{"name":"X"}}"#), scratch: &scratch)
        #expect(
            matches == [
                TargetMatch(target: "siem", targetIndex: 0, routes: [0, 3]),
                TargetMatch(target: "crm", targetIndex: 1, routes: [0, 1, 3]),
            ])
        #expect(plan.targets == ["siem", "crm", "archive"])
        #expect(
            plan.match(try event(#"{"group":{"name":"y"}}"#), scratch: &scratch).map(\.target) == ["crm", "archive"])
    }
}
