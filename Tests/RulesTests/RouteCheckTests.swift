import Testing
import YAML

@testable import Rules

/// What is warned of a route that asks this.
private func warnings(_ condition: String, head: String = "") throws -> [String] {
    var diagnostics = Diagnostics()
    _ = RuleLoader.load(
        texts: [("r.yaml", Array("\(head)routes: [{name: r, to: siem, when: \(condition)}]\n".utf8))],
        environment: environment, diagnostics: &diagnostics)
    try #require(!diagnostics.hasErrors, "\(condition): \(diagnostics)")
    return diagnostics.all.map(\.description)
}

@Suite("Routes that can never match") struct NeverMatchingTests {
    @Test(
        "are told of, whatever operators contradict each other",
        arguments: [
            // Equality.
            "{group: A, all: [{group: B}]}", "{group: {any_of: [A, B], not: [a, ' B ']}}",
            "{group: {exactly: Contractor, not: contractor}}", "{group: {exactly: a, equals: b}}",
            "{event: visitor.*, all: [{event: invitation.created}]}",
            "{visitor: {returning: true, name: {is: absent}}, all: [{visitor: {returning: false}}]}",
            "{invitation: {attempts: 3, ends_at: {is: present}}, all: [{invitation: {attempts: {not: 3.0}}}]}",
            // States.
            "{visitor: {email: {is: absent, equals: x}}}", "{visitor: {email: {is: absent, starts_with: x}}}",
            "{personal: {role: {is: [absent, \"null\"], not: {is: blank}}}}",
            "{visitor: {email: {is: present, not: {is: [present, absent]}}}}",
            // A literal and a pattern.
            "{visitor: {name: {equals: Eve, starts_with: A}}}", "{visitor: {email: {equals: a@b.c, domain: c.b}}}",
            "{visitor: {email: {equals: eve@acme.com, not: {ends_with: '@ACME.com'}}}}",
            "{visitor: {name: {equals: Eve, not: {like: 'E?e'}}}}", "{visitor: {name: {equals: Eve, contains: x}}}",
            "{invitation: {attempts: {equals: 3, above: 3}}}", "{device: {ip: {equals: 10.0.0.1, cidr: 10.1.0.0/16}}}",
            "{device: {ip: {equals: 10.0.0.1, not: {cidr: 10.0.0.0/8}}}}",
            "{personal: {floor: {equals: 3, not: {between: [1, 4]}}}}",
            // Patterns.
            "{visitor: {name: {starts_with: Ab}}, all: [{visitor: {name: {starts_with: b}}}]}",
            "{visitor: {name: {starts_with: [ab, cd]}}, all: [{visitor: {name: {like: 'x*'}}}]}",
            "{visitor: {email: {domain: acme.com, ends_with: .org}}}",
            "{visitor: {email: {domain: acme.com}}, all: [{visitor: {email: {domain: .acme.com}}}]}",
            "{visitor: {name: {starts_with: abc, not: {starts_with: AB}}}}",
            "{visitor: {name: {ends_with: abc, not: {contains: b}}}}",
            "{visitor: {email: {domain: x.acme.com, not: {domain: .acme.com}}}}",
            "{personal: {role: {starts_with: abc, not: {starts_with: ab}}}}",
            "{visitor: {name: {matches: '^a', not: {matches: ['^b', '^a']}}}}",
            // Ranges.
            "{invitation: {attempts: {above: 3, below: 3}}}", "{invitation: {attempts: {at_least: 4, at_most: 3.5}}}",
            "{invitation: {attempts: {between: [1, 2], not: {between: [0, 5]}}}}",
            "{invitation: {ends_at: {below: now, above: now + 1h}}}",
            "{invitation: {ends_at: {above: '2024-07-30T00:00:00Z', below: '2024-07-29T00:00:00Z'}}}",
            "{time: {above: now}}", "{time: {below: now - 1h}}",
            "{device: {ip: {cidr: 10.0.0.0/8}}, all: [{device: {ip: {cidr: 192.168.0.0/16}}}]}",
            "{device: {ip: {cidr: 10.1.0.0/16, not: {cidr: 10.0.0.0/8}}}}",
            // Calendars.
            "{time: {within: {days: mon-fri}}, all: [{time: {within: {days: [sat, sun]}}}]}",
            "{time: {within: {days: mon, from: '09:00', to: '10:00'}, outside: {days: mon-fri, from: '08:00', to: '18:00'}}}",
            // Blocks.
            "{group: A, any: [{group: B}, {group: C}]}", "{group: A, not: {any: [{group: A}, {source: london}]}}",
            "{not: {not: {group: A}}, all: [{group: B}]}",
            "{any: [{group: A, all: [{group: B}]}, {time: {above: now}}]}",
        ])
    func contradiction(_ condition: String) throws {
        let found = try warnings(condition)
        #expect(found.count == 1 && found[0].contains("the route `r` can never match"), "\(condition): \(found)")
    }

    @Test(
        "are not told of where something may match",
        arguments: [
            "{group: A}", "{group: {not: [A, B]}}", "{event: visitor.*, all: [{event: visitor.signin}]}",
            "{visitor: {name: {starts_with: Ab}}, all: [{visitor: {name: {starts_with: A}}}]}",
            "{visitor: {name: {starts_with: abc, ends_with: abc}}}",
            "{visitor: {name: {contains: a, not: {contains: ab}}}}",
            "{visitor: {name: {equals: Eve, matches: '^e'}}}", "{visitor: {name: {equals: eve, exactly: Eve}}}",
            // A list may hold one and the other.
            "{personal: {role: A}, all: [{personal: {role: B}}]}",
            "{visit: {reasons: a}, all: [{visit: {reasons: b}}]}",
            "{personal: {role: {starts_with: a}}, all: [{personal: {role: {starts_with: b}}}]}",
            "{personal: {floor: {equals: '7', not: '7.0'}}}", "{personal: {floor: {equals: '7.0', starts_with: '7'}}}",
            "{invitation: {attempts: {at_least: 3, at_most: 3}}}",
            "{invitation: {ends_at: {below: now, above: '2024-07-30T00:00:00Z'}}}",
            "{time: {at_least: now, at_most: now}}",
            "{visitor: {email: {domain: x.acme.com}}, all: [{visitor: {email: {domain: .acme.com}}}]}",
            "{visitor: {email: {is: present, equals: ''}}}", "{visitor: {email: {is: blank, not: x}}}",
            "{time: {within: {days: mon, from: '22:00', to: '06:00'}}, all: [{time: {within: {days: tue}}}]}",
            "{time: {within: {days: mon-fri, zone: Europe/Paris}}, all: [{time: {within: {days: sat, zone: Asia/Tokyo}}}]}",
            "{time: {within: {days: mon-fri}, outside: {days: mon-fri, holidays: [2024-12-25]}}}",
            "{any: [{group: A, all: [{group: B}]}, {group: A}]}", "{}",
        ])
    func possible(_ condition: String) throws {
        #expect(try warnings(condition).isEmpty, "\(condition)")
    }

    @Test("are told with what contradicts, at its place")
    func place() throws {
        let found = try warnings("{event: visitor.signin, group: A, all: [{group: B}]}")
        #expect(found[0].hasPrefix("r.yaml:1:77: warning: "), "\(found)")
        #expect(found[0].contains("group is A, and group is B"))
    }

    @Test("of named conditions are told of")
    func named() throws {
        let head = "conditions: {staff: {group: Staff}}\n"
        #expect(try warnings("{condition: staff, group: Visitor}", head: head).count == 1)
        #expect(try warnings("{condition: staff, source: london}", head: head).isEmpty)
    }

    @Test("because of their scope say so")
    func scope() throws {
        let found = try warnings("{site: {key: hq}}", head: "scope: {site: {key: london}}\n")
        #expect(found.count == 1 && found[0].contains("can never match within its scope"), "\(found)")
    }

    @Test("are looked for in bounded time, however many alternatives a route has")
    func bounded() throws {
        let alternatives = (0..<40).map { "{group: g\($0)}" }.joined(separator: ", ")
        let block = "{any: [\(alternatives)]}"
        #expect(try warnings("{all: [\(Array(repeating: block, count: 40).joined(separator: ", "))]}").isEmpty)
    }
}

@Suite("Bare site ids") struct BareSiteTests {
    @Test("that several sources use are told of where they stand, unless the source is named")
    func bare() throws {
        #expect(try warnings("{site: [4567, 12]}").count == 1)
        #expect(try warnings("{any: [{site: 12}, {site: 12, source: london}]}").count == 1)
        for narrowed in ["{site: 12, source: london}", "{site: {id: 12, key: london}}", "{site: {not: 12}}"] {
            #expect(try warnings(narrowed).isEmpty, "\(narrowed)")
        }
    }
}
