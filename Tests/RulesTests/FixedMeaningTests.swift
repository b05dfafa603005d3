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
        #expect(
            complaints("routes: [{name: a, to: seim, name: b}]")
                == """
                r.yaml:1:24: no target is called `seim` (did you mean siem?)
                r.yaml:1:30: duplicate key `name`, first used on line 1; remove one of the two
                """)
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
        let told = complaints("routes: [{name: r, to: siem, when: \(condition)}]")
        #expect(told.contains(": warning: the route `r` can never match: \(reason)"), "\(told)")
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

    @Test(
        "6: intervals are half-open in the zone's own time; 24:00 ends a day; a night belongs to the day it began on",
        arguments: [
            ("{within: {from: \"08:00\", to: \"18:00\", zone: Europe/London}}", "2024-07-30T07:00:00Z", true),
            ("{within: {from: \"08:00\", to: \"18:00\", zone: Europe/London}}", "2024-07-30T06:59:59.999Z", false),
            ("{within: {from: \"08:00\", to: \"18:00\", zone: Europe/London}}", "2024-07-30T17:00:00Z", false),
            ("{within: {from: \"18:00\", to: \"24:00\", zone: UTC}}", "2024-07-30T23:59:59.999Z", true),
            ("{within: {from: \"18:00\", to: \"24:00\", zone: UTC}}", "2024-07-31T00:00:00Z", false),
            // Friday's night goes on into Saturday, Saturday's own is none.
            ("{within: {days: mon-fri, from: \"22:00\", to: \"06:00\", zone: UTC}}", "2024-08-03T05:59:00Z", true),
            ("{within: {days: mon-fri, from: \"22:00\", to: \"06:00\", zone: UTC}}", "2024-08-03T22:00:00Z", false),
            ("{within: {days: mon-fri, from: \"22:00\", to: \"06:00\", zone: UTC}}", "2024-08-05T05:59:00Z", false),
            ("{outside: {days: mon-fri, zone: UTC}}", "2024-08-03T12:00:00Z", true),
        ])
    func calendars(_ test: String, _ time: String, _ expected: Bool) throws {
        let outcome = try outcome(when: "{time: \(test)}", try event("{}", time: time))
        #expect(outcome == (expected ? .taken : .notTaken))
    }

    @Test(
        "6: the zone is the one given, else the site's, else the source's",
        arguments: [
            (", zone: Asia/Tokyo", #"{"site":{"timezone":"Europe/London"},"source":"london"}"#, "2024-07-30T00:30:00Z"),
            ("", #"{"site":{"timezone":"Europe/London"},"source":"london"}"#, "2024-07-30T08:30:00Z"),
            ("", #"{"site":{"timezone":"Middle/Earth"},"source":"london"}"#, "2024-07-30T13:30:00Z"),
            ("", #"{"source":"london"}"#, "2024-07-30T13:30:00Z"),
        ])
    func zones(_ zone: String, _ data: String, _ halfPastNine: String) throws {
        let condition = "{time: {within: {from: \"09:00\", to: \"10:00\"\(zone)}}}"
        let zones = ["london": "America/New_York"]
        #expect(try outcome(when: condition, try event(data, time: halfPastNine), sourceZones: zones) == .taken)
        let later = try event(data, time: "2024-07-30T16:30:00Z")
        #expect(try outcome(when: condition, later, sourceZones: zones) == .notTaken)
    }

    @Test("6: dates relative to now count from the event's own time")
    func relative() throws {
        let data = #"{"invitation":{"ends_at":"2024-07-30T12:00:00Z"}}"#
        for (test, time, expected) in [
            ("{below: now}", "2024-07-30T12:00:01Z", true), ("{below: now}", "2024-07-30T12:00:00Z", false),
            ("{below: now + 2h}", "2024-07-30T10:00:01Z", true), ("{above: now - 30m}", "2024-07-30T12:30:00Z", false),
        ] {
            let outcome = try outcome(when: "{invitation: {ends_at: \(test)}}", try event(data, time: time))
            #expect(outcome == (expected ? .taken : .notTaken), "\(test) at \(time)")
        }
    }

    @Test(
        "9: a question without an answer makes the whole route fail, through any not and any any",
        arguments: [
            "QUESTION", "not: {QUESTION}", "any: [{QUESTION}, {event: visitor.signin}]", "all: [{not: {QUESTION}}]",
        ])
    func undecidable(_ form: String) throws {
        let questions = [
            ("time: {within: {days: mon-fri}}", UndecidableReason.zoneUnknown),
            ("personal: {n: {above: 3}}", .numberTooLarge),
        ]
        let event = try event(#"{"personal":{"n":1e27},"source":"unheard"}"#, time: "2024-07-30T12:00:00Z")
        for (question, reason) in questions {
            let condition = "{" + form.replacingOccurrences("QUESTION", question) + "}"
            #expect(try outcome(when: condition, event) == .failed(reason), "\(condition)")
        }
    }

    @Test("9: where the rest of a route says no by itself, a question without an answer is no error")
    func notReached() throws {
        let event = try event(#"{"personal":{"n":1e27}}"#)
        #expect(try outcome(when: "{event: visitor.signout, personal: {n: {above: 3}}}", event) == .notTaken)
        #expect(
            try outcome(when: "{not: {any: [{event: visitor.signin}, {personal: {n: {above: 3}}}]}}", event)
                == .notTaken)
    }

    @Test("10: unmatched takes what no other route took, and nothing else")
    func unmatched() throws {
        let plan = try routes(
            """
            routes:
              - {name: a, when: {group: x}, to: siem}
              - {name: rest, unmatched: true, when: {event: visitor.*}, to: archive}
            """)
        for (group, expected) in [("x", ["a"]), ("y", ["rest"])] {
            let event = try event("{\"group\":{\"name\":\"\(group)\"}}")
            var scratch = MatchScratch()
            #expect(plan.routes(taking: event, scratch: &scratch).map { plan.routes[$0].name } == expected)
            let explained = Explainer().explain(plan.routes, event).routes.filter { $0.outcome == .taken }
            #expect(explained.map(\.name) == expected)
        }
    }

    @Test("11: rules see the sender's payload as the source's policy left it, whole")
    func policy() throws {
        let data = #"{"vendor":"alocity","original":{"Payload":{"name":"Eve","templates":[{"kind":"face"}]}}}"#
        #expect(try takes("{json: {/Payload/template: {is: absent}, /Payload/name: eve}}", data))
        #expect(try takes("{json: {/Payload/templates/0/kind: face}}", data))
        #expect(try !takes("{json: {/Payload/templates/1/kind: face}}", data))
    }
}
