import Testing

@testable import Rules

@Suite("Conditions in words")
struct PhraseTests {
    @Test(
        "a condition reads as English and holds no more than the rule's own words",
        arguments: [
            ("{}", "any event"),
            ("{group: Contractor}", "group is Contractor"),
            ("{group: {not: Contractor}}", "group is not Contractor"),
            ("{site: [4567, 8910]}", "site is one of 4567, 8910"),
            ("{site: {not: [4567, 8910]}}", "site is none of 4567, 8910"),
            ("{site: [1, 2, 3, 4, 5, 6, 7]}", "site is one of 1, 2, 3, 4, 5 and 2 more"),
            ("{group: {exactly: Contractor}}", "group is exactly Contractor"),
            ("{group: \"\"}", "group is empty"),
            ("{additional: {NDA signed: {is: blank}}}", "additional \"NDA signed\" is blank"),
            ("{visitor: {name: {not: {is: [absent, empty]}}}}", "visitor.name is not absent or empty"),
            ("{personal: {role: {starts_with: Dir}}}", "personal \"role\" starts with Dir"),
            ("{personal: {role: {not: {starts_with: Dir}}}}", "personal \"role\" does not start with Dir"),
            ("{personal: {role: {ends_with: [a, b]}}}", "personal \"role\" ends with one of a, b"),
            ("{personal: {role: {not: {contains: [a, b]}}}}", "personal \"role\" contains none of a, b"),
            ("{visitor: {name: {like: \"J*n\"}}}", "visitor.name is like J*n"),
            ("{visitor: {name: {not: {like: [\"J*n\", \"?x\"]}}}}", "visitor.name is like none of J*n, ?x"),
            ("{visitor: {name: {matches: \"^J\"}}}", "visitor.name matches ^J"),
            ("{visitor: {name: {not: {matches: \"^J\"}}}}", "visitor.name does not match ^J"),
            ("{visitor: {email: {domain: acme.com}}}", "visitor.email is in the domain acme.com"),
            ("{visitor: {email: {not: {domain: acme.com}}}}", "visitor.email is not in the domain acme.com"),
            ("{visitor: {email: {domain: .acme.com}}}", "visitor.email is in a domain below acme.com"),
            ("{visitor: {email: {domain: [a.com, .b.com]}}}", "visitor.email is in one of the domains a.com, .b.com"),
            ("{device: {ip: {cidr: 10.0.0.0/8}}}", "device.ip is in the network 10.0.0.0/8"),
            (
                "{device: {ip: {not: {cidr: [10.0.0.0/8, \"fd00::/8\"]}}}}",
                "device.ip is in none of the networks 10.0.0.0/8, fd00::/8"
            ),
            ("{face: {attempts: {above: 3}}}", "face.attempts is above 3"),
            ("{face: {attempts: {at_least: 3, below: 7}}}", "face.attempts is at least 3 and face.attempts is below 7"),
            ("{face: {attempts: {not: {between: [1, 5]}}}}", "face.attempts is not between 1 and 5"),
            ("{invitation: {ends_at: {below: now}}}", "invitation.ends_at is before now"),
            ("{invitation: {ends_at: {at_least: now + 2h}}}", "invitation.ends_at is now + 2h or later"),
            (
                "{visit: {started_at: {at_most: 2024-07-30T09:00:00Z}}}",
                "visit.started_at is 2024-07-30T09:00:00Z or earlier"
            ),
            (
                "{time: {within: {days: mon-fri, from: \"08:00\", to: \"18:00\"}}}",
                "time is within mon-fri 08:00 to 18:00"
            ),
            (
                "{time: {outside: {from: \"22:00\", to: \"06:00\"}, zone: Europe/Paris}}",
                "time is outside 22:00 to 06:00 in Europe/Paris"
            ),
            ("{time: {not: {within: {days: [sat, sun]}}}}", "time is not within sat, sun"),
            (
                "{time: {within: {days: \"mon, wed-fri\", holidays: [2024-12-25]}}}",
                "time is within mon, wed-fri (1 holiday left out)"
            ),
            ("{json: {/a/b: x}}", "json \"/a/b\" is x"),
            ("{group: A, any: [{site: 1}, {site: 2}]}", "group is A and (site is 1 or site is 2)"),
            ("{any: [{group: A, site: 1}, {site: 2}]}", "(group is A and site is 1) or site is 2"),
            ("{not: {group: A, site: 1}}", "not (group is A and site is 1)"),
        ])
    func phrases(_ condition: String, _ expected: String) {
        #expect(phrase(condition) == expected)
    }

    @Test("a named condition is told by its name")
    func named() {
        let files = read([
            """
            conditions: {outsiders: {group: x}}
            calendars: {office-hours: {days: mon-fri}}
            routes:
              - {name: a, to: siem, when: {condition: outsiders, time: {outside: office-hours}}}
              - {name: b, to: siem, when: {not: {condition: outsiders}}}
            """
        ])
        #expect(
            files.routes.map(\.condition.phrase) == [
                "outsiders holds and time is outside office-hours", "outsiders does not hold",
            ])
    }

    @Test("conditions that ask different things have different texts for the plan's hash")
    func canonicalTexts() {
        let conditions = [
            "{group: a}", "{group: {exactly: a}}", "{group: {not: a}}", "{group: [a, b]}", "{group: \"a, b\"}",
            "{group: {starts_with: a}}", "{group: {ends_with: a}}", "{group: {contains: a}}", "{group: {like: a}}",
            "{group: {matches: a}}", "{group: {domain: a}}", "{device: {ip: {cidr: 10.0.0.0/8}}}",
            "{device: {ip: {cidr: 10.0.0.0/9}}}", "{face: {attempts: {above: 1}}}", "{face: {attempts: {at_least: 1}}}",
            "{face: {attempts: {below: 1}}}", "{face: {attempts: {at_most: 1}}}",
            "{face: {attempts: {between: [1, 1]}}}",
            "{personal: {a: {above: now}}}", "{personal: {a: {above: now + 1s}}}", "{personal: {a: {above: now - 1s}}}",
            "{time: {within: {days: mon}}}", "{time: {outside: {days: mon}}}", "{time: {within: {days: tue}}}",
            "{time: {within: {days: mon}, zone: Europe/Paris}}", "{time: {within: {days: mon, holidays: 2024-12-25}}}",
            "{time: {within: {days: mon, from: \"08:00\", to: \"09:00\"}}}", "{json: {/a: a}}", "{personal: {/a: a}}",
        ]
        let texts = conditions.map { condition in
            read(["routes: [{name: r, to: siem, when: \(condition)}]\n"]).routes.first?.condition.canonicalText ?? ""
        }
        #expect(Set(texts).count == conditions.count)
        #expect(!texts.contains(""))
    }
}
