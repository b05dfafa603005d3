import Testing
import YAML

@testable import Rules

private func plan(_ text: String) throws -> RulePlan {
    var diagnostics = Diagnostics()
    let files = RuleLoader.load(
        texts: [("r.yaml", Array(text.utf8))], environment: environment, diagnostics: &diagnostics)
    try #require(!diagnostics.hasErrors, "\(diagnostics)")
    return files.plan
}

/// What is warned of routes that add nothing.
private func redundant(_ routes: String) throws -> [(route: Int, container: Int, areEqual: Bool)] {
    RedundantRoutes(try plan("routes:\n" + routes).routes).findings.map { ($0.route, $0.container, $0.areEqual) }
}

@Suite("Routes that add nothing") struct RedundantRouteTests {
    /// What a route asks, and what another one asks that takes all of the first one's events.
    static let contained = [
        ("{group: A, source: london}", "{source: london}"), ("{group: A}", "{group: [B, a]}"), ("{group: A}", "{}"),
        ("{group: A}", "{group: {not: B}}"), ("{event: visitor.signin}", "{event: visitor.*}"),
        ("{group: {not: [A, B]}}", "{group: {not: B}}"), ("{site: 1, group: A}", "{any: [{group: A}, {group: B}]}"),
        ("{any: [{group: A}, {group: B}], source: london}", "{group: [A, B, C]}"),
        ("{visitor: {email: {domain: x.acme.com}}}", "{visitor: {email: {ends_with: acme.com}}}"),
        ("{visitor: {name: Eve}}", "{visitor: {name: {starts_with: e}}}"),
        ("{visitor: {name: {starts_with: abc}}}", "{visitor: {name: {contains: B}}}"),
        ("{visitor: {name: {starts_with: a}}}", "{visitor: {name: {is: present}}}"),
        ("{visitor: {name: {is: absent}}}", "{visitor: {name: {not: Eve}}}"),
        ("{visitor: {name: {is: absent}}}", "{visitor: {name: {is: blank}}}"),
        ("{invitation: {attempts: {between: [2, 3]}}}", "{invitation: {attempts: {above: 1}}}"),
        ("{invitation: {ends_at: {below: now - 1h}}}", "{invitation: {ends_at: {below: now}}}"),
        ("{device: {ip: {cidr: 10.1.0.0/16}}}", "{device: {ip: {cidr: [192.168.0.0/16, 10.0.0.0/8]}}}"),
        ("{visitor: {name: {matches: '^a'}}}", "{visitor: {name: {matches: ['^b', '^a']}}}"),
        ("{personal: {role: Director, x: 1}}", "{personal: {role: [Director, Host]}}"),
        ("{time: {within: {days: mon}}, group: A}", "{time: {within: {days: mon-fri}}}"),
        ("{time: {outside: {days: mon-fri}}}", "{time: {outside: {days: mon}}}"),
        ("{not: {any: [{group: A}, {source: london}]}}", "{group: {not: A}}"),
        ("{json: {/a: x, /b: y}}", "{json: {/a: x}}"),
    ]

    static let notContained = [
        ("{source: london}", "{group: A, source: london}"), ("{group: [A, B]}", "{group: A}"),
        ("{group: {not: B}}", "{group: {not: [A, B]}}"), ("{personal: {role: A}}", "{personal: {role: {not: B}}}"),
        ("{group: A}", "{source: london}"),
        ("{visitor: {name: {contains: abc}}}", "{visitor: {name: {starts_with: a}}}"),
        // An event without a zone, or with a number too large, is taken by the first alone.
        ("{group: A}", "{any: [{group: A}, {time: {within: {days: mon}}}]}"),
        ("{personal: {x: 5}}", "{any: [{personal: {x: 5}}, {personal: {x: {above: 1}}}]}"),
        ("{visitor: {name: {matches: a}}}", "{visitor: {name: {contains: a}}}"),
        ("{invitation: {ends_at: {below: now}}}", "{invitation: {ends_at: {below: '2030-01-01T00:00:00Z'}}}"),
    ]

    @Test("are found where literal values prove it", arguments: contained)
    func found(_ inner: String, _ outer: String) throws {
        for (first, second) in [(inner, outer), (outer, inner)] {
            let found = try redundant(
                "  - {name: a, to: siem, when: \(first)}\n  - {name: b, to: siem, when: \(second)}\n")
            let isFirst = first == inner
            #expect(found.count == 1, "\(inner) in \(outer)")
            #expect(found.first?.route == (isFirst ? 0 : 1) && found.first?.container == (isFirst ? 1 : 0))
            #expect(found.first?.areEqual == false)
        }
    }

    @Test("are not made up", arguments: notContained)
    func notFound(_ inner: String, _ outer: String) throws {
        let found = try redundant(
            "  - {name: a, to: siem, when: \(inner)}\n  - {name: b, to: siem, when: \(outer)}\n")
        #expect(!found.contains { $0.route == 0 }, "\(inner) in \(outer)")
    }

    @Test("of two that ask the same in other words the later one is told of, once")
    func equal() throws {
        let found = try redundant(
            """
              - {name: a, to: siem, when: {group: A, source: london}}
              - {name: b, to: siem, when: {all: [{source: london}, {group: a}]}}

            """)
        try #require(found.count == 1)
        #expect(found[0].route == 1 && found[0].container == 0 && found[0].areEqual)
    }

    @Test("go to targets of the other: one that adds a target adds something")
    func targets() throws {
        #expect(
            try redundant("  - {name: a, to: [siem, crm], when: {group: A}}\n  - {name: b, to: siem}\n").isEmpty)
        #expect(
            try redundant("  - {name: a, to: crm, when: {group: A}}\n  - {name: b, to: [siem, crm]}\n").count == 1)
    }

    @Test("are looked for among a team's own, and never among disabled or unmatched ones")
    func owners() throws {
        let both = try plan("routes:\n  - {name: a, to: siem, when: {group: A}}\n  - {name: b, to: siem}\n").routes
        #expect(RedundantRoutes(both).findings.count == 1)
        var routes = both
        routes[0].team = "london"
        #expect(RedundantRoutes(routes).findings.isEmpty)
        routes = both
        routes[1].takesUnmatched = true
        #expect(RedundantRoutes(routes).findings.isEmpty)
        #expect(
            try redundant("  - {name: a, to: siem, when: {group: A}}\n  - {name: b, to: siem, enabled: false}\n")
                .isEmpty)
    }

    @Test("are found among many in bounded work, and it is said when that was not enough")
    func many() throws {
        var text = "routes:\n"
        for index in 0..<3000 {
            text += "  - {name: r\(index), to: siem, when: {site: \(index), group: {not: g\(index)}}}\n"
        }
        text += "  - {name: last, to: siem, when: {site: 17, group: A}}\n"
        let result = RedundantRoutes(try plan(text).routes)
        #expect(!result.isCut)
        #expect(result.findings.map(\.route) == [3000] && result.findings.map(\.container) == [17])

        text = "routes:\n"
        for index in 0..<300 {
            text += "  - {name: r\(index), to: siem, when: {visitor: {name: {contains: \"<\(index)>\"}}}}\n"
        }
        let routes = try plan(text).routes
        #expect(!RedundantRoutes(routes).isCut)
        #expect(RedundantRoutes(routes, steps: 10_000).isCut)
    }
}

@Suite("All rules together") struct RuleSetCheckTests {
    private func warnings(_ routes: String, targets: [String] = []) throws -> [String] {
        var diagnostics = Diagnostics()
        let places = targets.enumerated().map { ($0.element, SourceLocation(file: "g.yaml", line: $0.offset + 1)) }
        RuleSetChecks(try plan("routes:\n" + routes)).check(targets: places, &diagnostics)
        #expect(!diagnostics.hasErrors)
        return diagnostics.sorted.map(\.description)
    }

    @Test("a route that adds nothing is told of with the one that makes it superfluous")
    func redundant() throws {
        let found = try warnings(
            """
              - {name: a, to: siem, when: {event: visitor.signin, group: A}}
              - {name: b, to: siem, when: {event: visitor.signin}}

            """)
        try #require(found.count == 1)
        #expect(found[0].hasPrefix("r.yaml:2:5: warning: the route `a` adds nothing"), "\(found)")
        #expect(found[0].contains("`b` (r.yaml:3:5)"))
    }

    @Test("routes that are looked at for every event are counted, the first ones named")
    func residual() throws {
        var routes = "  - {name: all, to: siem}\n  - {name: site, to: crm, when: {site: 1}}\n"
        for index in 0..<7 {
            routes +=
                "  - {name: n\(index), to: archive, when: {any: [{group: {not: g\(index)}}, {site: s\(index)}]}}\n"
        }
        let found = try warnings(routes)
        try #require(found.count == 1, "\(found)")
        #expect(found[0].contains("7 routes are looked at for every event"))
        #expect(found[0].contains("`n0`, `n1`, `n2`, `n3`, `n4` and 2 more"))
    }

    @Test("a target that no enabled route leads to is told of where it is configured")
    func unusedTargets() throws {
        let found = try warnings(
            """
              - {name: a, to: siem, when: {site: 1}}
              - {name: b, to: crm, when: {site: 1}, enabled: false}

            """, targets: ["siem", "crm"])
        #expect(found.count == 1 && found[0].hasPrefix("g.yaml:2:1: warning: no enabled route leads to the target crm"))
    }
}
