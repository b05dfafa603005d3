import Testing
import YAML

@testable import Rules

@Suite("Files of a team")
struct TeamReadingTests {
    @Test("names are the team's: routes, conditions and calendars are told with it")
    func names() throws {
        let text = """
            conditions: {outsiders: {group: x}}
            calendars: {night: {from: "22:00", to: "06:00"}}
            routes: [{name: r, to: siem, when: {condition: outsiders, time: {within: night}}}]
            """
        let files = try read([text], team: team())
        #expect(files.diagnostics.isEmpty, "\(files.diagnostics)")
        #expect(files.team == "london")
        #expect(files.routes.map(\.name) == ["london/r"])
        #expect(files.routes.map(\.team) == ["london"])
        #expect(files.conditions.map(\.name) == ["london/outsiders"])
        #expect(
            files.routes.map(\.condition.phrase) == ["london/outsiders holds and time is within london/night"])
    }

    @Test("two teams may use one name; neither sees what the other named")
    func separate() throws {
        let use = "routes: [{name: r, to: siem, when: {condition: outsiders}}]\n"
        let define = "conditions: {outsiders: {group: x}}\n"
        let london = try read([use + define], team: team())
        let paris = try read([use], team: team("paris"))
        #expect(london.diagnostics.isEmpty)
        #expect(
            paris.diagnostics.description
                == "a.yaml:1:48: no condition is called `outsiders`; no file has `conditions:`")
        #expect(try RulePlan(london.routes + read([use + define], team: team("paris")).routes).routes.count == 2)
    }

    @Test("a team's scope confines its routes; a file's scope only narrows it")
    func scope() throws {
        let files = try read(
            ["scope: {group: x}\nroutes: [{name: a, to: siem, when: {site: 1}}]\n", "routes: [{name: b, to: siem}]\n"],
            team: team())
        #expect(files.diagnostics.isEmpty, "\(files.diagnostics)")
        #expect(
            files.routes.map(\.wholeCondition.phrase) == [
                "site.key is london and group is x and site is 1", "site.key is london and any event",
            ])
    }

    @Test("a target that is not the team's is an error that names those that are, and no others")
    func targets() throws {
        for target in ["crm", "nothing"] {
            let files = try read(["routes: [{name: r, to: \(target)}]\n"], team: team())
            #expect(
                files.diagnostics.description
                    == "a.yaml:1:24: team london has no target called `\(target)`; it has siem, london-desk")
            #expect(files.routes.isEmpty)
        }
        let tests = try read(
            ["tests: [{name: t, given: {event: {}}, to: crm}]\n"], team: team())
        #expect(tests.diagnostics.description.contains("team london has no target called `crm`"))
        let defaults = try read(["defaults: {to: london-dsk}\nroutes: [{name: r}]\n"], team: team())
        #expect(defaults.diagnostics.description.contains("(did you mean london-desk?)"))
    }

    @Test("unmatched is for the main files only")
    func unmatched() throws {
        for text in [
            "routes: [{name: r, to: siem, unmatched: true}]\n", "defaults: {unmatched: true}\nroutes: []\n",
        ] {
            #expect(
                try read([text], team: team()).diagnostics.description.contains(
                    "`unmatched:` stands only in the main files: it takes what no route of any team took"))
        }
    }

    @Test("a name cannot be made to look like another team's")
    func slashes() throws {
        var environment = environment
        environment.teams = ["london", "paris"]
        let text = "routes: [{name: paris/r, to: siem}]\n"
        #expect(
            try read([text], team: team(), environment: environment).diagnostics.description
                == "a.yaml:1:17: a route's name holds no `/`: that is how others tell it from another team's (london/…)"
        )
        #expect(
            read([text], environment: environment).diagnostics.description
                == "a.yaml:1:17: a route's name does not begin with `paris/`: that is how names of team paris begin")
        #expect(read(["routes: [{name: rome/r, to: siem}]\n"], environment: environment).diagnostics.isEmpty)
    }

    @Test("a team's tests name its routes with or without the team; the main files' may name any team's")
    func testNames() throws {
        var environment = environment
        environment.teams = ["london", "paris"]
        let given = "given: {event: {}}"
        let files = try read(
            [
                "routes: [{name: r, to: siem}]\ntests: [{name: t, \(given), routes: [r]}, {name: u, \(given), routes: london/r}]\n"
            ],
            team: team(), environment: environment)
        #expect(files.diagnostics.isEmpty, "\(files.diagnostics)")
        #expect(files.tests.map(\.routes) == [["london/r"], ["london/r"]])
        #expect(files.tests.map(\.team) == ["london", "london"])
        let main = read(
            ["routes: [{name: m, to: siem}]\ntests: [{name: t, \(given), routes: [m, paris/x]}]\n"],
            environment: environment)
        #expect(main.diagnostics.isEmpty, "\(main.diagnostics)")
        #expect(main.tests.map(\.routes) == [["m", "paris/x"]])
        let wrong = try read(
            ["routes: [{name: contractors, to: siem}]\ntests: [{name: t, \(given), routes: [paris/r, contractor]}]\n"],
            team: team(),
            environment: environment)
        #expect(
            wrong.diagnostics.description == """
                a.yaml:2:48: no route is called `paris/r`
                a.yaml:2:57: no route is called `contractor` (did you mean contractors?)
                """)
    }

    @Test("a team's scope must be read whole, and may name no conditions")
    func scopeErrors() {
        var diagnostics = Diagnostics()
        let node = try? parseYAML(Array("{sit: {key: hq}, condition: x}".utf8), file: "g.yaml")
        let location = SourceLocation(file: "g.yaml")
        let team = node.flatMap {
            Team(
                name: "a", paths: [], targets: [], scope: $0, location: location, environment: environment,
                &diagnostics)
        }
        #expect(team == nil)
        #expect(diagnostics.description.contains("unknown field `sit` (did you mean site?)"))
        #expect(diagnostics.description.contains("there are no named conditions here; write the condition itself"))
    }
}
