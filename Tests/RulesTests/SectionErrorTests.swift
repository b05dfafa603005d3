import Testing

@testable import Rules

@Suite("Sections of files that do not load")
struct SectionErrorTests {
    @Test(
        "an error in conditions, calendars, defaults, scope or tests says what is wrong and where",
        arguments: [
            (
                "conditions: {a: {condition: b}, b: {condition: c}, c: {condition: a}}\n",
                "r.yaml:1:67: the condition `a` is made of itself: `a` → `b` → `c` → `a`"
            ),
            ("conditions: {a: {condition: a}}\n", "r.yaml:1:29: the condition `a` is made of itself: `a` → `a`"),
            (
                "conditions: {a: {}}\n",
                "r.yaml:1:17: the condition `a` is empty; write a field and a value, or remove it"
            ),
            ("conditions: {a: }\n", "r.yaml:1:17: the condition `a` is empty; write a field and a value, or remove it"),
            (
                "conditions: {a: {group: x}, b: {condition: aa}}\n",
                "r.yaml:1:44: no condition is called `aa`; there are a, b"
            ),
            (
                "conditions: {outsiders: {group: x}}\nroutes: [{name: r, to: siem, when: {condition: outsider}}]\n",
                "r.yaml:2:48: no condition is called `outsider` (did you mean outsiders?)"
            ),
            (
                "calendars: {office-hours: {days: mon-fri}}\nroutes: [{name: r, to: siem, when: {time: {outside: officehours}}}]\n",
                "r.yaml:2:53: no calendar is called `officehours` (did you mean office-hours?)"
            ),
            (
                "calendars: {\"a\\tb\": {days: mon-fri}}\n",
                "r.yaml:1:13: a calendar's name has at most 128 bytes and no control characters"
            ),
            (
                "calendars: {a: {days: mon-fry}}\nroutes: [{name: r, to: siem, when: {time: {outside: a}}}]\n",
                "r.yaml:1:23: days are mon, tue, wed, thu, fri, sat, sun, and ranges of them such as mon-fri, not `mon-fry`"
            ),
            ("calendars: {a: {}}\n", "r.yaml:1:16: the calendar is empty; write its days, or from and to"),
            ("calendars: {a: mon-fri}\n", "r.yaml:1:16: a calendar must be a mapping (`key: value`), found `mon-fri`"),
            (
                "defaults: {to: fax, when: , enabled: maybe, unmatched: 1, tu: x}\n",
                "r.yaml:1:16: no target is called `fax`; there are siem, crm, london-desk, archive\nr.yaml:1:27: `when:` is empty; remove it to take every event\nr.yaml:1:38: write true or false, not `maybe`\nr.yaml:1:56: write true or false, not `1` (did you mean true?)\nr.yaml:1:59: unknown key `tu` in `defaults:`; known are description, enabled, unmatched, when, to, name"
            ),
            (
                "scope: {sit: 1}\nroutes: [{name: r, to: siem}]\n",
                "r.yaml:1:9: unknown field `sit` (did you mean site?)"
            ),
            ("tests: [a]\n", "r.yaml:1:9: a test must be a mapping (`key: value`), found `a`"),
            (
                "tests: [{name: a}]\n",
                "r.yaml:1:9: a test needs `given:`\nr.yaml:1:9: a test needs `to:` or `routes:`, [] for none"
            ),
            (
                "tests: [{name: a, given: {}, to: []}]\n",
                "r.yaml:1:26: `given:` takes one of `sample:` (with `set:`), `payload:` (with `source:`) and `event:`"
            ),
            (
                "tests: [{name: a, given: {sample: signinapp/visitor.signin, event: {}}, to: []}]\n",
                "r.yaml:1:26: `given:` takes one of `sample:` (with `set:`), `payload:` (with `source:`) and `event:`"
            ),
            (
                "tests: [{name: a, given: {sample: signinapp, set: {grup: x, site: {nam: y}, visitor: x, personal: Director, json: {a: 1}, event: signin, time: today}}, to: siem}]\n",
                "r.yaml:1:35: a sample is written VENDOR/EVENT, such as signinapp/visitor.signin, not `signinapp`\nr.yaml:1:52: unknown field `grup` (did you mean group?)\nr.yaml:1:68: unknown field `nam` of site; there are key, id, name, type, timezone, external_id (did you mean name?)\nr.yaml:1:86: `visitor:` needs its fields, such as visitor: {id: …}, found `x`\nr.yaml:1:99: `personal:` needs its fields, such as personal: {NAME: …}, found `Director`\nr.yaml:1:116: a JSON pointer begins with `/` (did you mean /a?)\nr.yaml:1:130: no event is called `signin` (did you mean visitor.signin?)\nr.yaml:1:144: time is a time such as 2024-07-30T09:00:00Z, not `today`"
            ),
            (
                "tests: [{name: a, given: {sample: fax/visitor.signin}, to: [seim], routes: [none]}]\n",
                "r.yaml:1:35: no vendor is called `fax`; there are signinapp, sine, envoy, alocity, netgraph, generic\nr.yaml:1:61: no target is called `seim` (did you mean siem?)\nr.yaml:1:77: no route is called `none`"
            ),
            (
                "tests: [{name: a, given: {payload: {a: }}, to: []}]\n",
                "r.yaml:1:36: `payload:` needs `source:` beside it: whose notification it is\nr.yaml:1:40: nothing is written here; write \"\" for an empty text, or null"
            ),
            (
                "tests: [{name: a, given: {payload: a, source: londn}, to: []}]\n",
                "r.yaml:1:36: `payload:` must be a mapping (`key: value`), found `a`\nr.yaml:1:47: no source is called `londn` (did you mean london?)"
            ),
            (
                "tests: [{name: a, given: {event: {type: visitor.signin}, set: {group: a}, source: london}, to: []}]\n",
                "r.yaml:1:58: `set:` stands beside `sample:`; write the value itself"
            ),
            (
                "tests: [{name: a, given: {event: {a: }}, to: [], decision: admit}]\n",
                "r.yaml:1:38: nothing is written here; write \"\" for an empty text, or null\nr.yaml:1:50: unknown key `decision` in a test; known are name, given, to, routes"
            ),
            (
                "tests: [{name: a, given: {event: {}}, to: []}, {name: a, given: {event: {}}, to: []}]\n",
                "r.yaml:1:55: a test called `a` is already at r.yaml:1:16"
            ),
        ])
    func sections(_ text: String, _ expected: String) {
        #expect(complaints(text) == expected)
    }
}
