import Testing

@testable import Rules

@Suite("Files that do not load")
struct LoadErrorTests {
    @Test(
        "an error in a condition says what is wrong, where, and what is nearest",
        arguments: [
            ("{grup: a}", "2: unknown field `grup` (did you mean group?)"),
            ("{Group: a}", "2: unknown field `Group` (did you mean group?)"),
            ("{email: a}", "2: unknown field `email` (did you mean visitor: {email: …}?)"),
            ("{visitor.email: a}", "2: unknown field `visitor.email` (did you mean visitor: {email: …}?)"),
            (
                "{banana: a}",
                "2: unknown field `banana`; a sender's own field stands under personal: or additional:"
            ),
            (
                "{contains: a}",
                "2: unknown field `contains`; an operator stands under a field, such as group: {contains: …}"
            ),
            ("{jsn: {/a: b}}", "2: unknown field `jsn` (did you mean json?)"),
            ("{times: {within: x}}", "2: unknown field `times` (did you mean time?)"),
            (
                "{visitor: {emial: a}}",
                "12: unknown field `emial` of visitor; there are id, returning_id, name, first_name, last_name, email, phone, company, photo_url, badge_url, email_verified, phone_verified, returning, pre_registered, remote (did you mean email?)"
            ),
            (
                "{visitor: {not: {email: a}}}",
                "12: `not:` stands under a field of visitor, such as visitor: {id: {not: …}}"
            ),
            ("{visitor: John}", "11: visitor needs one of its fields, such as visitor: {name: …}, found `John`"),
            ("{visitor: {}}", "11: visitor needs one of its fields, such as visitor: {name: …}, found nothing"),
            (
                "{personal: Director}",
                "12: personal needs its fields' names, such as personal: {NAME: …}, found `Director`"
            ),
            ("{personal: {}}", "12: personal needs its fields' names, such as personal: {NAME: …}, found nothing"),
            ("{group: {equal: a}}", "10: unknown field `equal` of group; there are id, name (did you mean equals?)"),
            ("{vendor_event: {equal: a}}", "17: unknown operator `equal` under vendor_event (did you mean equals?)"),
            (
                "{personal: {role: {city: a}}}",
                "20: unknown operator `city` under personal \"role\"; it takes equals, any_of, exactly, not, is, starts_with, ends_with, contains, like, matches, domain, above, at_least, below, at_most, between, cidr, in_list"
            ),
            (
                "{group: null}",
                "9: null is no value to compare with; for the state write {is: \"null\"}, for the word \"null\""
            ),
            ("{group: }", "9: `group` has no value; for a field without one write {is: blank}, for an empty text \"\""),
            (
                "{group: [a, ~]}",
                "13: null is no value to compare with; for the state write {is: \"null\"}, for the word \"~\""
            ),
            ("{group: {is: null}}", "14: write is: \"null\" with quotes for the state null"),
            ("{group: {is: }}", "14: `is:` names no state; there are present, absent, null, empty, blank"),
            (
                "{group: {is: Present}}",
                "14: expected one of present, absent, null, empty, blank, found `Present` (did you mean present?)"
            ),
            ("{group: {is: []}}", "14: an empty list takes no event; name a state, or remove `is:`"),
            ("{group: []}", "9: an empty list takes no event; name a value, or remove `group`"),
            ("{group: [[a]]}", "10: expected a value of group, found a list"),
            ("{group: [{not: a}]}", "10: expected a value of group, found a mapping; only `not:` takes operators"),
            ("{vendor_event: {}}", "16: vendor_event says nothing; write a value or an operator, or remove it"),
            ("{visitor: {returning: yes}}", "23: write true or false, not `yes` (did you mean true?)"),
            (
                "{visitor: {returning: \"true\"}}",
                "23: write true or false, without quotes, not `true` (did you mean true?)"
            ),
            (
                "{visitor: {returning: {exactly: true}}}",
                "24: `exactly:` compares texts, and visitor.returning is true or false; it takes equals, any_of, not, is"
            ),
            ("{face: {attempts: few}}", "19: face.attempts is a number such as 3, not `few`"),
            (
                "{visit: {started_at: today}}",
                "22: visit.started_at is a time such as 2024-07-30T09:00:00Z, not `today`"
            ),
            ("{event: visitor.singin}", "9: no event is called `visitor.singin` (did you mean visitor.signin?)"),
            ("{event: {not: [signin]}}", "16: no event is called `signin` (did you mean visitor.signin?)"),
            ("{event: visiter.*}", "9: no event is called `visiter.*` (did you mean visitor.*?)"),
            ("{event: {exactly: visitor.*}}", "19: no event is called `visitor.*`"),
            ("{vendor: signin-app}", "10: no vendor is called `signin-app` (did you mean signinapp?)"),
            (
                "{vendor: fax}",
                "10: no vendor is called `fax`; there are signinapp, sine, envoy, alocity, netgraph, generic"
            ),
            ("{source: londn}", "10: no source is called `londn` (did you mean london?)"),
            ("{site: {key: hqq}}", "14: no site key is called `hqq` (did you mean hq?)"),
            ("{any: {group: a}}", "7: `any:` takes a list of conditions (`- {field: value}`), found a mapping"),
            ("{all: []}", "7: `all:` takes a list of conditions (`- {field: value}`), found an empty one"),
            ("{any: [a]}", "8: a condition of any must be a mapping (`field: value`), found `a`"),
            ("{any: [{}]}", "8: a condition of any is empty; write a field and a value, or remove it"),
            ("{not: {}}", "7: not is empty; write a field and a value, or remove it"),
            ("{not: [{group: a}]}", "7: `not:` takes a mapping; for several write not: {any: […]}"),
            ("[a]", "1: when must be a mapping (`field: value`), found a list"),
        ])
    func conditions(_ condition: String, _ expected: String) {
        #expect(complaints(when: condition) == expected)
    }

    @Test(
        "an error in a route or a file says what is wrong and where",
        arguments: [
            ("routes:\n", "r.yaml:1:8: `routes:` takes a list (`- name: …`), found nothing"),
            ("routes: {a: b}\n", "r.yaml:1:9: `routes:` takes a list (`- name: …`), found a mapping"),
            ("- a\n", "r.yaml:1:1: a file of routes must be a mapping (`key: value`), found a list"),
            (
                "route: []\n",
                "r.yaml:1:1: unknown key `route` in a file of routes (did you mean routes?)"
            ),
            ("{}\n", "r.yaml:1:1: the file is empty; a file of routes has `routes:`"),
            (
                "routes: []\ntargets: {}\n",
                "r.yaml:2:1: unknown key `targets` in a file of routes; known are routes, defaults, scope, conditions, calendars, lists, tests"
            ),
            (
                "decisions: []\n",
                "r.yaml:1:1: unknown key `decisions` in a file of routes; known are routes, defaults, scope, conditions, calendars, lists, tests"
            ),
            ("tests: {}\n", "r.yaml:1:8: `tests:` takes a list (`- name: …`), found a mapping"),
            ("conditions: []\n", "r.yaml:1:13: `conditions:` must be a mapping (`key: value`), found a list"),
            ("calendars: a\n", "r.yaml:1:12: `calendars:` must be a mapping (`key: value`), found `a`"),
            ("scope: {}\n", "r.yaml:1:8: `scope:` is empty; remove it, or write what routes are confined to"),
            ("scope:\n", "r.yaml:1:7: `scope:` is empty; remove it, or write what routes are confined to"),
            ("defaults: a\n", "r.yaml:1:11: `defaults:` must be a mapping (`key: value`), found `a`"),
            (
                "defaults: {name: a}\n",
                "r.yaml:1:12: each route has a name of its own; `defaults:` gives none"
            ),
            ("routes: [a]\n", "r.yaml:1:10: a route must be a mapping (`key: value`), found `a`"),
            ("routes: [{to: siem}]\n", "r.yaml:1:10: a route needs `name:`"),
            ("routes: [{name: a}]\n", "r.yaml:1:10: a route needs `to:`"),
            ("routes: [{name: \"\", to: siem}]\n", "r.yaml:1:17: expected a text, found an empty one"),
            (
                "routes: [{name: \"a\\tb\", to: siem}]\n",
                "r.yaml:1:17: a route's name has at most 128 bytes and no control characters"
            ),
            (
                "routes: [{name: a, to: []}]\n",
                "r.yaml:1:24: `to:` names no target; use `enabled: false` to rest a route"
            ),
            ("routes: [{name: a, to: [siem, siem]}]\n", "r.yaml:1:31: the target `siem` is named twice"),
            (
                "routes: [{name: a, to: [fax, siem]}]\n",
                "r.yaml:1:25: no target is called `fax`; there are siem, crm, london-desk, archive"
            ),
            (
                "routes: [{name: a, too: siem}]\n",
                "r.yaml:1:10: a route needs `to:`\nr.yaml:1:20: unknown key `too` in a route (did you mean to?)"
            ),
            (
                "routes: [{name: a, to: siem, unmatched: always}]\n",
                "r.yaml:1:41: write true or false, not `always`"
            ),
            (
                "routes: [{name: a, to: siem, enabled: no}]\n",
                "r.yaml:1:39: write true or false, not `no` (did you mean false?)"
            ),
            ("routes: [{name: a, to: siem, when: }]\n", "r.yaml:1:36: `when:` is empty; remove it to take every event"),
        ])
    func routesAndFiles(_ text: String, _ expected: String) {
        #expect(complaints(text) == expected)
    }

    @Test("everything that is wrong is told at once")
    func allAtOnce() {
        let text = """
            routes:
              - name: a
                when: {grup: x, site: [1, null], visitor: {nmae: y}}
                to: [seim]
              - name: a
                enabled: maybe
                to: crm
            """
        #expect(
            complaints(text).split(separator: "\n").map { $0.prefix(13) } == [
                "r.yaml:3:12: ", "r.yaml:3:31: ", "r.yaml:3:48: ", "r.yaml:4:10: ", "r.yaml:5:11: ", "r.yaml:6:14: ",
            ])
    }

    @Test("a bare site id that several sources use is warned of, unless something else says which")
    func bareSite() {
        #expect(
            complaints("routes: [{name: r, to: siem, when: {site: [12, 4567]}}]")
                == "r.yaml:1:37: warning: the site id 12 is used by london and lobby; name the source, or write site: {key: …}"
        )
        for condition in [
            "{site: 4567}", "{site: 12, source: lobby}", "{site: {id: 12, key: hq}}", "{site: 12, vendor: envoy}",
            "{site: {not: 12}}",
        ] {
            #expect(complaints("routes: [{name: r, to: siem, when: \(condition)}]") == "")
        }
    }
}
