import Testing
import YAML

@testable import Rules

@Suite("Sections of files")
struct FileSectionTests {
    // MARK: conditions

    @Test("a named condition stands for what it names, in any file, before or after it is used")
    func conditionsInAnyOrder() {
        let use = "routes: [{name: r, to: siem, when: {condition: outsiders, site: 1}}]\n"
        let define = "conditions: {outsiders: {visitor: {company: {not: Acme}}}}\n"
        for texts in [[use, define], [define, use], [use + define], [define + use]] {
            let files = read(texts)
            #expect(files.diagnostics.isEmpty, "\(files.diagnostics)")
            #expect(files.routes.map(\.condition.phrase) == ["outsiders holds and site is 1"])
            #expect(files.conditions.map(\.condition.phrase) == ["visitor.company is not Acme"])
        }
    }

    @Test("a list of names is any of them; a condition may name others")
    func conditionLists() throws {
        let text = """
            conditions:
              a: {group: A}
              b: {condition: a, site: 1}
            routes:
              - {name: r, to: siem, when: {condition: [a, b], event: visitor.signin}}
              - {name: s, to: siem, when: {any: [{condition: b}, {not: {condition: a}}]}}
            """
        let files = read([text])
        #expect(files.diagnostics.isEmpty, "\(files.diagnostics)")
        #expect(
            files.routes.map(\.condition.phrase) == [
                "(a holds or b holds) and event is visitor.signin", "b holds or a does not hold",
            ])
    }

    @Test("a plan's hash follows what a named condition says, and not its name")
    func conditionHash() {
        func hash(_ name: String, _ condition: String) -> String {
            let text =
                "conditions: {\(name): \(condition)}\nroutes: [{name: r, to: siem, when: {condition: \(name)}}]\n"
            return RulePlan(read([text]).routes).hash
        }
        #expect(hash("a", "{group: A}") == hash("b", "{group: A}"))
        #expect(hash("a", "{group: A}") != hash("a", "{group: B}"))
    }

    @Test("conditions that name each other many times over do not grow without bound")
    func growth() {
        var text = "conditions:\n  c0: {group: a}\n"
        for number in 1...20 {
            text += "  c\(number): {all: [{condition: c\(number - 1)}, {condition: c\(number - 1)}]}\n"
        }
        #expect(
            read([text]).diagnostics.description.hasPrefix(
                "a.yaml:16:3: the condition `c14` asks more than 10000 questions; split it into several routes"))
        text = "conditions:\n  c0: {group: a}\n"
        for number in 1...100 { text += "  c\(number): {not: {condition: c\(number - 1)}}\n" }
        #expect(read([text]).diagnostics.description.contains("nested deeper than 64 levels"))
        text = "conditions:\n"
        for number in 1...5000 { text += "  c\(number): {not: {condition: c\(number + 1)}}\n" }
        text += "  c5001: {group: a}\n"
        #expect(read([text]).diagnostics.description.contains("nested deeper than 64 levels"))
    }

    @Test("conditions that are deep and name each other deep inside are read on a small stack")
    func deepNames() {
        var text = "conditions:\n"
        for number in 0..<64 {
            let inside = number == 63 ? "group: a" : "condition: c\(number + 1)"
            text +=
                "  c\(number): " + String(repeating: "{not: ", count: 58) + "{\(inside)}"
                + String(repeating: "}", count: 58) + "\n"
        }
        #expect(read([text]).diagnostics.description.contains("nested deeper than 64 levels"))
    }

    @Test("a name is used once for a condition and once for a calendar, over all files")
    func duplicates() {
        let text = "conditions: {a: {group: x}}\ncalendars: {a: {days: mon}}\ntests: []\n"
        #expect(
            read([text, text]).diagnostics.description == """
                b.yaml:1:14: a condition called `a` is already at a.yaml:1:14
                b.yaml:2:13: a calendar called `a` is already at a.yaml:2:13
                """)
    }

    // MARK: calendars

    @Test(
        "days are named by themselves, as ranges and in lists",
        arguments: [
            ("mon-fri", "mon-fri"), ("[mon, wed]", "mon, wed"), ("\"mon-fri, sun\"", "mon-fri, sun"), ("sat", "sat"),
            ("[mon-wed, sat]", "mon-wed, sat"), ("sat-mon", "mon, sat, sun"), ("mon-sun", "every day"),
        ])
    func days(_ written: String, _ expected: String) {
        #expect(phrase("{time: {within: {days: \(written)}}}") == "time is within \(expected)")
    }

    @Test("a calendar by name is read with its zone; a zone beside it counts more")
    func zones() throws {
        let text = """
            calendars:
              plain: {days: mon-fri}
              paris: {days: mon-fri, zone: Europe/Paris}
            routes:
              - {name: a, to: siem, when: {time: {within: plain}}}
              - {name: b, to: siem, when: {time: {within: paris}}}
              - {name: c, to: siem, when: {time: {within: paris, zone: Europe/London}}}
              - {name: d, to: siem, when: {time: {not: {within: [plain, {days: sat}], zone: Europe/Rome}}}}
              - {name: e, to: siem, when: {time: {outside: [plain, paris]}}}
            """
        let files = read([text])
        #expect(files.diagnostics.isEmpty, "\(files.diagnostics)")
        #expect(
            files.routes.map(\.condition.phrase) == [
                "time is within plain", "time is within paris in Europe/Paris", "time is within paris in Europe/London",
                "not (time is within plain in Europe/Rome or time is within sat in Europe/Rome)",
                "time is outside plain and time is outside paris in Europe/Paris",
            ])
        guard case .leaf(let leaf) = files.routes[1].condition, case .calendar(let calendar, inside: true) = leaf.test
        else { return #expect(Bool(false)) }
        #expect(calendar.days == [true, true, true, true, true, false, false])
        #expect(calendar.hours == nil && calendar.zone == "Europe/Paris" && calendar.name == "paris")
    }

    @Test("a calendar's times are minutes of the day, its holidays days since 1970")
    func calendarValues() throws {
        let text =
            "calendars: {a: {from: \"22:00\", to: \"24:00\", holidays: [1970-01-01, 2024-12-25, 1969-12-31]}}\n"
            + "routes: [{name: r, to: siem, when: {time: {within: a}}}]\n"
        guard case .leaf(let leaf) = try #require(read([text]).routes.first).condition,
            case .calendar(let calendar, inside: true) = leaf.test
        else { return #expect(Bool(false)) }
        #expect(calendar.hours == RuleCalendar.Hours(from: 1320, to: 1440))
        #expect(calendar.holidays == [0, 20_082, -1])
        #expect(calendar.days == Array(repeating: true, count: 7))
    }

    // MARK: defaults, scope, unmatched

    @Test("defaults fill what a route does not say; its own when holds beside theirs")
    func defaults() {
        let text = """
            defaults: {to: [siem, crm], when: {event: visitor.signin}, enabled: false, description: d}
            routes:
              - name: a
              - {name: b, to: archive, when: {group: x}, enabled: true, description: e}
            """
        let files = read([text, "routes: [{name: c, to: siem}]\n"])
        #expect(files.diagnostics.isEmpty, "\(files.diagnostics)")
        #expect(files.routes.map(\.targets) == [["siem", "crm"], ["archive"], ["siem"]])
        #expect(files.routes.map(\.isEnabled) == [false, true, true])
        #expect(files.routes.map(\.description) == ["d", "e", nil])
        #expect(
            files.routes.map(\.wholeCondition.phrase) == [
                "event is visitor.signin", "event is visitor.signin and group is x", "any event",
            ])
    }

    @Test("a route without targets of its own or by default is an error")
    func noTargets() {
        #expect(complaints("defaults: {enabled: true}\nroutes: [{name: a}]\n") == "r.yaml:2:10: a route needs `to:`")
    }

    @Test("a file's scope confines every route of that file, and of no other")
    func scope() {
        let files = read([
            "scope: {condition: mine}\nconditions: {mine: {site: 1}}\nroutes: [{name: a, to: siem, when: {group: x}}]\n",
            "routes: [{name: b, to: siem}]\n",
        ])
        #expect(files.diagnostics.isEmpty, "\(files.diagnostics)")
        #expect(files.routes.map(\.wholeCondition.phrase) == ["mine holds and group is x", "any event"])
    }

    @Test("unmatched is a route's or its file's")
    func unmatched() {
        let files = read([
            "defaults: {unmatched: true, to: crm}\nroutes: [{name: a}, {name: b, unmatched: false}]\n",
            "routes: [{name: c, to: siem, unmatched: true}, {name: d, to: siem}]\n",
        ])
        #expect(files.diagnostics.isEmpty, "\(files.diagnostics)")
        #expect(files.routes.map(\.takesUnmatched) == [true, false, true, false])
    }

    @Test("a file may hold nothing but calendars, conditions or tests")
    func withoutRoutes() {
        for text in ["calendars: {a: {days: mon}}\n", "conditions: {a: {group: x}}\n", "tests: []\n", "# nothing\n"] {
            #expect(read([text]).diagnostics.isEmpty)
        }
    }

    @Test("there is a most of routes, counted over all files")
    func mostRoutes() {
        var reader = OwnerReader(team: nil, environment: environment, mostRoutes: 3)
        for file in ["a.yaml", "b.yaml"] {
            reader.parse(Array("routes: [{name: 1\(file), to: siem}, {name: 2\(file), to: siem}]\n".utf8), file: file)
        }
        let files = reader.finish()
        #expect(files.diagnostics.description == "b.yaml:1:37: more than 3 routes")
    }

    @Test("no more errors are looked for than are told")
    func manyErrors() {
        let text = "routes:\n" + (0..<600).map { "  - {name: \($0), to: fax}\n" }.joined()
        let files = read([text])
        #expect(files.diagnostics.all.count == Diagnostics.limit)
        #expect(files.routes.isEmpty)
    }

    @Test("a wrong default is told once, not for every route")
    func wrongDefault() {
        #expect(
            complaints("defaults: {to: fax}\nroutes: [{name: a}, {name: b}]\n")
                == "r.yaml:1:16: no target is called `fax`; there are siem, crm, london-desk, archive")
    }

    @Test("every section the reader knows is in the schema, and no other")
    func sections() {
        #expect(
            complaints("x: 1\n").hasSuffix("known are " + OwnerReader.keys.joined(separator: ", ")))
    }
}
