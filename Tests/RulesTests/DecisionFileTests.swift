import Events
import Foundation
import Testing
import YAML

@testable import Rules

@Suite("Files of decisions")
struct DecisionFileTests {
    private func load(
        _ folder: String, main: String? = "decisions.yaml", team teamFile: String? = nil, kept: TeamVersion? = nil
    ) throws -> (sets: RuleSets, diagnostics: Diagnostics) {
        var diagnostics = Diagnostics()
        var teams: [Team] = []
        if let file = teamFile {
            var london = try team()
            london.paths = [folder + "/london/"]
            london.decisionsPath = "\(folder)/\(file)"
            teams = [london]
        }
        var environment = environment
        environment.teams = teams.map(\.name)
        let place = SourceLocation(file: "gatehouse.yaml", line: 3, column: 1)
        let loader = RuleSetLoader(
            environment: environment, teams: teams,
            decisions: main.map { DecisionFile(path: "\(folder)/\($0)", location: place) }, nowMs: 5,
            keptVersion: { _ in kept })
        let sets = loader.load(paths: [folder], at: place, &diagnostics)
        return (sets, diagnostics)
    }

    private func names(_ sets: RuleSets) -> [String]? { sets.decisions?.decisions.map(\.name) }

    /// What becomes of a visitor at one site.
    private func outcome(_ sets: RuleSets, _ site: String) throws -> String {
        let plan = try #require(sets.decisions)
        var scratch = MatchScratch()
        let event = try event("{\"site\":{\"key\":\"\(site)\"}}", type: "visitor.signin.requested")
        switch plan.ruling(on: event, scratch: &scratch) {
        case .none: return "default \(plan.fallback)"
        case .undecided(let decision): return "undecided \(decision.name)"
        case .decision(let decision):
            guard case .answer(let answer) = decision.ruling else { return "ask" }
            return "\(decision.name) \(answer.outcome)"
        }
    }

    private static let route = "routes: [{name: r, to: siem}]\n"
    private static let main = "decisions: [{name: a, when: {site: {key: hq}}, admit: {}}]\ndefault: review\n"

    @Test("without one nothing is decided")
    func none() throws {
        try withFolder(["r.yaml": Self.route]) { folder in
            let (sets, diagnostics) = try load(folder, main: nil)
            #expect(diagnostics.isEmpty, "\(diagnostics)")
            #expect(sets.decisions == nil)
        }
    }

    @Test("the file stands among the routes and is not one of them; it is watched as they are")
    func main() throws {
        try withFolder(["r.yaml": Self.route, "decisions.yaml": Self.main]) { folder in
            let (sets, diagnostics) = try load(folder)
            #expect(diagnostics.isEmpty, "\(diagnostics)")
            #expect(names(sets) == ["a"])
            #expect(sets.plan.routes.map(\.name) == ["r"])
            #expect(try outcome(sets, "hq") == "a admit")
            #expect(try outcome(sets, "x") == "default review")
            let watch = RuleWatch(main: [folder], decisions: "\(folder)/decisions.yaml")
            #expect(Set(watch.files) == ["\(folder)/r.yaml", "\(folder)/decisions.yaml"])
            #expect(watch.files.count == 2)
            #expect(RuleWatch(main: [], decisions: "\(folder)/decisions.yaml").files == ["\(folder)/decisions.yaml"])
            try write(["decisions.yaml": Self.main + "# more\n"], in: folder)
            #expect(try load(folder).sets.mainHash != sets.mainHash)
        }
    }

    @Test("a link to it is not a file of routes either")
    func link() throws {
        try withFolder(["r.yaml": Self.route, "decisions.yaml": Self.main]) { folder in
            try FileManager.default.createSymbolicLink(
                atPath: "\(folder)/other.yaml", withDestinationPath: "\(folder)/decisions.yaml")
            #expect(try load(folder).diagnostics.isEmpty)
        }
    }

    @Test("an error in it is the configuration's, and leaves no plan")
    func broken() throws {
        try withFolder(["r.yaml": Self.route, "decisions.yaml": "decisions: [{name: a}]\n"]) { folder in
            let (sets, diagnostics) = try load(folder)
            #expect(diagnostics.description.contains("decisions.yaml:1:13: a decision needs one of"))
            #expect(sets.decisions == nil)
        }
        try withFolder(["r.yaml": Self.route]) { folder in
            let (sets, diagnostics) = try load(folder)
            #expect(diagnostics.description.contains("decisions.yaml:1:1: cannot read the file"), "\(diagnostics)")
            #expect(sets.decisions == nil)
        }
    }

    @Test("its conditions are those of the routes, and its tests are read")
    func shared() throws {
        let texts = [
            "r.yaml": "conditions: {guests: {group: Guest}}\n" + Self.route,
            "decisions.yaml": """
            decisions: [{name: a, when: {condition: guests}, ask: {target: crm}}]
            tests: [{name: t, given: {sample: sine/signin_before}, decision: ask}]
            """,
        ]
        try withFolder(texts) { folder in
            let (sets, diagnostics) = try load(folder)
            #expect(diagnostics.isEmpty, "\(diagnostics)")
            #expect(sets.tests.map(\.decision) == [.ask])
            #expect(sets.decisions?.fallback == .deny, "closed unless said otherwise")
            #expect(sets.decisions?.askedTargets == ["crm"])
        }
    }

    // MARK: Teams

    private static let texts = [
        "r.yaml": route, "decisions.yaml": main + "# main\n", "london/r.yaml": "routes: [{name: l, to: siem}]\n",
        "london/doors.yaml": "decisions: [{name: a, deny: \"No\"}]\n",
    ]

    @Test(
        "a team's is asked before the main file's, inside its scope, and is no file of routes",
        arguments: [true, false])
    func teams(_ isAmongItsRoutes: Bool) throws {
        var texts = Self.texts
        if !isAmongItsRoutes { texts["doors/london.yaml"] = texts.removeValue(forKey: "london/doors.yaml") }
        let path = isAmongItsRoutes ? "london/doors.yaml" : "doors/london.yaml"
        try withFolder(texts) { folder in
            let (sets, diagnostics) = try load(folder, team: path)
            #expect(diagnostics.isEmpty, "\(diagnostics)")
            #expect(sets.teams.map(\.state) == [.current], "\(sets.teams[0].diagnostics)")
            #expect(sets.teams[0].decisionCount == 1 && sets.teams[0].routeCount == 1)
            #expect(names(sets) == ["london/a", "a"])
            #expect(sets.plan.routes.map(\.name) == ["r", "london/l"])
            #expect(try outcome(sets, "london") == "london/a deny")
            #expect(try outcome(sets, "hq") == "a admit")
        }
    }

    @Test("a team's with an error keeps the version that was at work, decisions and routes alike")
    func kept() throws {
        try withFolder(Self.texts) { folder in
            let first = try load(folder, team: "london/doors.yaml").sets
            let version = try #require(first.teams[0].version)
            #expect(version.decisions?.bytes == Array(Self.texts["london/doors.yaml"]!.utf8))
            #expect(TeamVersion(json: version.json) == version)
            #expect(first.teams[0].withoutTexts.version?.decisions == nil)

            try write(["london/doors.yaml": "decisions: [{name: a, admit: x}]\n"], in: folder)
            let (sets, diagnostics) = try load(folder, team: "london/doors.yaml", kept: version)
            #expect(diagnostics.isEmpty, "the team's error is the team's")
            #expect(sets.teams[0].state == .kept)
            #expect(sets.teams[0].diagnostics.description.contains("doors.yaml:1:30: who is admitted"))
            #expect(try outcome(sets, "london") == "london/a deny")

            try FileManager.default.removeItem(atPath: "\(folder)/london/doors.yaml")
            let gone = try load(folder, team: "london/doors.yaml", kept: version).sets
            #expect(gone.teams[0].state == .kept)
        }
    }

    @Test("a version whose decisions somebody changed on the disk is not taken")
    func forged() throws {
        let file = TeamVersion.File(path: "d.yaml", bytes: Array("decisions: []\n".utf8))
        let version = TeamVersion(files: [], decisions: file, sinceMs: 1)
        let text = String(decoding: version.json, as: UTF8.self)
        #expect(TeamVersion(json: Array(text.utf8)) == version)
        #expect(TeamVersion(json: Array(text.replacingOccurrences("decisions: []", "decisions: [{}]").utf8)) == nil)
        #expect(version.hash != TeamVersion(files: [file], sinceMs: 1).hash)
    }

    @Test("of a team whose files do not load and of which nothing is kept, everybody gets the default")
    func refused() throws {
        var texts = Self.texts
        texts["london/r.yaml"] = "routes: [{name: l}]\n"
        try withFolder(texts) { folder in
            let sets = try load(folder, team: "london/doors.yaml").sets
            #expect(sets.teams[0].state == .refused)
            #expect(try outcome(sets, "london") == "london review")
            #expect(try outcome(sets, "hq") == "a admit")
        }
    }

    @Test("a team's alone is an error: it would leave everybody else to a default that nobody chose")
    func alone() throws {
        try withFolder(Self.texts) { folder in
            try FileManager.default.removeItem(atPath: "\(folder)/decisions.yaml")
            let (sets, diagnostics) = try load(folder, main: nil, team: "london/doors.yaml")
            #expect(diagnostics.description.contains("team london has `decisions:`, and the configuration has none"))
            #expect(sets.decisions == nil)
        }
    }

    @Test("a main file among a team's files is an error, as the team could write it")
    func mainAmongTeams() throws {
        try withFolder(Self.texts) { folder in
            let (_, diagnostics) = try load(folder, main: "london/doors.yaml", team: "doors.yaml")
            #expect(diagnostics.description.contains("belongs to team london; take it out of `decisions:`"))
        }
    }

    @Test("a target that is asked is no target that nothing leads to")
    func askedTargets() throws {
        let texts = ["r.yaml": Self.route, "decisions.yaml": "decisions: [{name: a, ask: {target: crm}}]\n"]
        try withFolder(texts) { folder in
            let sets = try load(folder).sets
            let place = SourceLocation(file: "g.yaml")
            func warnings(_ checks: RuleSetChecks) -> String {
                var diagnostics = Diagnostics()
                checks.check(targets: [("crm", place)], &diagnostics)
                return diagnostics.description
            }
            #expect(warnings(RuleSetChecks(sets.plan)).contains("leads to the target crm"))
            #expect(warnings(RuleSetChecks(sets.plan, decisions: sets.decisions)).isEmpty)
        }
    }
}
