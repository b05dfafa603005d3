import Configuration
import Events
import Foundation
import JSON
import Rules
import Testing
import YAML

/// Two teams, each with a site and targets of its own, and a main file above both.
struct TeamFixture {
    static let configuration = """
        sources:
          lobby: {vendor: envoy, verify: none, timezone: Europe/Paris}
        sites:
          london: {ids: {lobby: 1}}
          paris: {ids: {lobby: 2}}
        targets:
          siem: {type: file, path: ./siem.ndjson}
          crm: {type: file, path: ./crm.ndjson}
        teams:
          london: {files: routes/london/, scope: {site: {key: london}}, targets: siem}
          paris: {files: [routes/paris], scope: {site: {key: paris}}, targets: [siem, crm]}
        routes: routes

        """

    static let files = [
        "routes/main.yaml": "routes: [{name: everything, to: crm}]\n",
        "routes/london/a.yaml": "routes: [{name: visitors, when: {event: visitor.*}, to: siem}]\n",
        "routes/paris/b.yaml":
            "conditions: {guests: {group: Guest}}\nroutes: [{name: visitors, when: {condition: guests}, to: crm}]\n",
    ]

    let folder: ConfigurationFolder
    /// As of an instance that has run.
    let store: TeamVersionStore

    init(_ changes: [String: String] = [:], configuration: String = TeamFixture.configuration) throws {
        folder = try ConfigurationFolder(
            Self.files.merging(["gatehouse.yaml": configuration]) { $1 }.merging(changes) { $1 })
        store = TeamVersionStore(dataFolder: folder.path + "/data")
    }

    func write(_ name: String, _ text: String) throws {
        let file = URL(filePath: folder.path).appending(path: name)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try text.write(to: file, atomically: true, encoding: .utf8)
    }

    func loaded() throws -> Configuration {
        let (configuration, messages) = folder.load()
        return try #require(configuration, "\(messages)")
    }

    func team(_ name: String) throws -> TeamStanding {
        try #require(try loaded().rules.teams.first { $0.name == name })
    }

    /// Keeps what is at work, as a running instance does.
    func adopt() throws {
        try FileManager.default.createDirectory(atPath: folder.path + "/data", withIntermediateDirectories: true)
        for team in try loaded().rules.teams where team.state == .current {
            try store.keep(try #require(team.version), of: team.name)
        }
    }

    /// The routes that take a sign-in at a site.
    func routes(taking site: String, group: String = "Guest") throws -> [String] {
        let plan = try loaded().routes
        let payload = """
            {"id":"00000000000000000000000000000001","type":"visitor.signin","time":"2026-01-01T00:00:00.000Z",
             "data":{"vendor":"envoy","source":"lobby","site":{"key":"\(site)","id":"1"},"group":{"name":"\(group)"}}}
            """
        let event = try #require(try EventView(parsing: Array(payload.utf8), with: JSONParser()))
        var scratch = MatchScratch()
        return plan.routes(taking: event, scratch: &scratch).map { plan.routes[$0].name }
    }
}

@Suite("Teams")
struct TeamTests {
    @Test("route from their own folders, within their scope, under names of their own")
    func separate() throws {
        let fixture = try TeamFixture()
        let (configuration, messages) = fixture.folder.load()
        #expect(messages == [])
        let rules = try #require(configuration).rules
        #expect(rules.routes.map(\.name) == ["everything", "london/visitors", "paris/visitors"])
        #expect(rules.routes.map(\.team) == [nil, "london", "paris"])
        #expect(rules.teams.map(\.state) == [.current, .current])
        #expect(rules.teams.map(\.routeCount) == [1, 1])
        #expect(configuration?.ruleEnvironment.sourceZones == ["lobby": "Europe/Paris"])
        #expect(try fixture.routes(taking: "london") == ["everything", "london/visitors"])
        #expect(try fixture.routes(taking: "paris") == ["everything", "paris/visitors"])
        #expect(try fixture.routes(taking: "oslo") == ["everything"])
    }

    @Test(
        "are refused in the configuration with what is wrong",
        arguments: [
            (
                "london: {files: routes/london}",
                [
                    "10:11: team london needs `scope:`: the events it may see; write {} for every event",
                    "10:11: team london needs `targets:`",
                ]
            ),
            ("london: {scope: {}, targets: siem}", ["10:11: team london needs `files:`"]),
            (
                "london: {files: routes/london, scope: {}, targets: [sem, siem, siem], decision: x}",
                [
                    "10:55: no target is called `sem` (did you mean siem?)", "10:66: the target `siem` is named twice",
                    "10:73: unknown key `decision` in team london (did you mean decisions?)",
                ]
            ),
            (
                "london: {files: [], scope: {}, targets: siem}",
                ["10:19: `files:` names no file; name the team's folder"]
            ),
            (
                "london: {files: routes/london, scope: , targets: siem}",
                ["10:41: `scope:` is empty; write {} for every event"]
            ),
            (
                "london: {files: routes/london, scope: {sit: 1}, targets: siem}",
                ["10:42: unknown field `sit` (did you mean site?)"]
            ),
            (
                "london: {files: routes/london, scope: {site: {key: londn}}, targets: siem}",
                ["10:54: no site key is called `londn` (did you mean london?)"]
            ),
            (
                "london: {files: routes/london, scope: {group: \"${env:GROUP}\"}, targets: siem}",
                ["10:49: a scope holds no ${…}: write the value itself"]
            ),
            (
                "a/b: {files: routes/london, scope: {}, targets: siem}",
                ["10:3: `a/b` cannot be a team's name: use letters, digits, `-`, `_` and `.`, at most 64"]
            ),
        ])
    func wrongEntry(entry: String, expected: [String]) throws {
        let lines = TeamFixture.configuration.split(separator: "\n")
        let text = (lines[..<8] + ["teams:", "  \(entry)"] + ["routes: routes/main.yaml"]).joined(separator: "\n")
        let fixture = try TeamFixture(configuration: text + "\n")
        let (configuration, messages) = fixture.folder.load(environment: ["GROUP": "kingfisher"])
        #expect(configuration == nil)
        let errors = messages.filter { !$0.contains("warning: ") }
        #expect(errors.map { $0.replacingOccurrences(of: "gatehouse.yaml:", with: "") } == expected)
    }

    @Test(
        "have no file in common with each other or with the main files",
        arguments: [
            ("routes/london/", "routes/london/", "routes", "files of team london too"),
            ("routes/london/", "routes/", "other", "files of team london too"),
            ("routes", "routes/./x/../paris/b.yaml", "other", "files of team london too"),
            ("routes/london", "routes/paris", "routes/london", "belongs to team london"),
            ("routes/london", "routes/paris", "[other, routes/paris/b.yaml]", "belongs to team paris"),
        ])
    func shared(london: String, paris: String, main: String, message: String) throws {
        let text = TeamFixture.configuration.replacing("routes/london/", with: london)
            .replacing("[routes/paris]", with: paris).replacing("routes: routes\n", with: "routes: \(main)\n")
        let fixture = try TeamFixture(["other/x.yaml": "routes: []\n"], configuration: text)
        let (configuration, messages) = fixture.folder.load()
        #expect(configuration == nil)
        #expect(messages.contains { $0.contains(message) }, "\(messages)")
    }

    static let brokenFiles = [
        "routes: [{name: visitors, to: sie}]\n", "routes: [\n", "\u{0}",
        "routes: [{name: a, when: {sit: 1}, to: siem}]\n",
        "routes: [{name: a, to: siem}, {name: a, to: siem}]\n", "tests: 17\nroutes: []\n",
    ]

    @Test("that break a file are the only ones to lose by it", arguments: brokenFiles)
    func broken(text: String) throws {
        let fixture = try TeamFixture(["routes/london/a.yaml": text])
        let london = try fixture.team("london")
        #expect(london.state == .refused)
        let error = try #require(london.error)
        #expect(error.location.file.hasSuffix("routes/london/a.yaml"))
        #expect(fixture.folder.load().messages.contains { $0.hasPrefix("routes/london/a.yaml:") })
        #expect(try fixture.team("paris").state == .current)
        #expect(try fixture.routes(taking: "london") == ["everything"])
        #expect(try fixture.routes(taking: "paris") == ["everything", "paris/visitors"])
    }

    @Test("that break a file keep the version that was at work, and take the mended one", arguments: brokenFiles)
    func kept(text: String) throws {
        let fixture = try TeamFixture()
        try fixture.adopt()
        let since = try fixture.team("london").sinceMs
        try fixture.write("routes/london/a.yaml", text)
        try fixture.write("routes/london/more.yaml", "routes: [{name: more, to: siem}]\n")
        try fixture.write("routes/paris/more.yaml", "routes: [{name: more, to: crm}]\n")
        let london = try fixture.team("london")
        #expect(london.state == .kept)
        #expect(london.sinceMs == since)
        #expect(london.error != nil)
        #expect(try fixture.routes(taking: "london") == ["everything", "london/visitors"])
        #expect(try fixture.routes(taking: "paris") == ["everything", "paris/visitors", "paris/more"])

        try fixture.write("routes/london/a.yaml", "routes: [{name: mended, to: siem}]\n")
        #expect(try fixture.team("london").state == .current)
        #expect(try fixture.routes(taking: "london") == ["everything", "london/mended", "london/more"])
    }

    @Test("whose folder is gone, or holds what cannot be looked at, keep their version, and nobody else is held up")
    func damagedFolder() throws {
        let fixture = try TeamFixture()
        try fixture.adopt()
        let place = fixture.folder.path + "/routes/london"
        try FileManager.default.createSymbolicLink(atPath: place + "/loop.yaml", withDestinationPath: "loop.yaml")
        #expect(try fixture.team("london").state == .kept)
        #expect(try fixture.routes(taking: "london") == ["everything", "london/visitors"])
        try FileManager.default.removeItem(atPath: place)
        #expect(try fixture.team("london").state == .kept)
        #expect(try fixture.routes(taking: "london") == ["everything", "london/visitors"])
        #expect(try fixture.team("paris").state == .current)
    }

    @Test("do not read others' files through links")
    func links() throws {
        let fixture = try TeamFixture()
        let files = FileManager.default
        let place = fixture.folder.path + "/routes/london"
        for target in ["../paris/b.yaml", "../main.yaml", "../../gatehouse.yaml"] {
            let link = place + "/link.yaml"
            try files.createSymbolicLink(atPath: link, withDestinationPath: target)
            let london = try fixture.team("london")
            #expect(london.state == .refused)
            #expect(london.error?.message == "this leads out of the files of team london")
            #expect(try fixture.team("paris").state == .current)
            try files.removeItem(atPath: link)
        }
        try files.removeItem(atPath: place)
        try files.createSymbolicLink(atPath: place, withDestinationPath: "paris")
        #expect(try fixture.team("london").state == .refused)
        #expect(try fixture.team("paris").state == .current)
        #expect(try fixture.routes(taking: "paris") == ["everything", "paris/visitors"])
        #expect(try fixture.routes(taking: "london") == ["everything"])
    }

    @Test("name neither others' targets nor others' conditions, and do not widen their scope")
    func confined() throws {
        for (text, message) in [
            ("routes: [{name: a, to: crm}]\n", "crm"),
            ("routes: [{name: a, when: {condition: guests}, to: siem}]\n", "no condition is called `guests`"),
            ("routes: [{name: a, when: {condition: paris/guests}, to: siem}]\n", "no condition is called"),
            ("routes: [{name: paris/a, to: siem}]\n", "holds no `/`"),
            ("routes: [{name: a, unmatched: true, to: siem}]\n", "unmatched"),
        ] {
            let fixture = try TeamFixture(["routes/london/a.yaml": text])
            let london = try fixture.team("london")
            #expect(london.state == .refused)
            #expect(london.error?.message.contains(message) == true, "\(london.diagnostics)")
        }
        for scope in ["{site: {key: paris}}", "{any: [{site: {key: london}}, {site: {key: paris}}]}"] {
            let fixture = try TeamFixture([
                "routes/london/a.yaml":
                    "scope: \(scope)\nroutes: [{name: a, when: {site: {key: [london, paris]}}, to: siem}]\n"
            ])
            #expect(try !fixture.routes(taking: "paris").contains("london/a"), "\(scope)")
        }
        let narrowed = try TeamFixture([
            "routes/london/a.yaml": "scope: {group: Guest}\nroutes: [{name: a, to: siem}]\n"
        ])
        #expect(try narrowed.routes(taking: "london").contains("london/a"))
        #expect(try !narrowed.routes(taking: "london", group: "Staff").contains("london/a"))
    }

    @Test("whose kept version does not fit the configuration any more have no routes, visibly")
    func misfit() throws {
        let fixture = try TeamFixture()
        try fixture.adopt()
        try fixture.write("routes/paris/b.yaml", "routes: [\n")
        try fixture.write("gatehouse.yaml", TeamFixture.configuration.replacing("[siem, crm]", with: "siem"))
        let paris = try fixture.team("paris")
        #expect(paris.state == .refused)
        #expect(
            paris.diagnostics.all.contains {
                $0.location.file.hasSuffix("gatehouse.yaml")
                    && $0.message.contains("that is kept does not fit the configuration: ")
                    && $0.message.contains("routes/paris/b.yaml:2:")
            }, "\(paris.diagnostics)")
        #expect(try fixture.routes(taking: "paris") == ["everything"])
        // It is kept for the day it fits again.
        try fixture.write("gatehouse.yaml", TeamFixture.configuration)
        #expect(try fixture.team("paris").state == .kept)
    }

    @Test("a main file with an error stops all of it, as ever")
    func mainError() throws {
        let fixture = try TeamFixture(["routes/main.yaml": "routes: [{name: london/x, to: crm}]\n"])
        let (configuration, messages) = fixture.folder.load()
        #expect(configuration == nil)
        #expect(messages.count == 1)
        #expect(messages.first?.hasPrefix("routes/main.yaml:1:") == true, "\(messages)")
    }

    @Test("keep their version in a file of mode 0600 that is not taken when it was changed")
    func keptFile() throws {
        let fixture = try TeamFixture()
        try fixture.adopt()
        let file = fixture.folder.path + "/data/teams/london.json"
        let attributes = try FileManager.default.attributesOfItem(atPath: file)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let version = try #require(fixture.store.version(of: "london"))
        #expect(version.files.map { $0.path } == [fixture.folder.path + "/routes/london/a.yaml"])
        let text = try String(contentsOfFile: file, encoding: .utf8)
        for damaged in [text.replacing("visitors", with: "visitorz"), String(text.dropLast(20)), "", "[]"] {
            try damaged.write(toFile: file, atomically: true, encoding: .utf8)
            #expect(fixture.store.version(of: "london") == nil)
        }
        fixture.store.forget(except: ["paris"])
        #expect(!FileManager.default.fileExists(atPath: file))
        #expect(fixture.store.version(of: "paris") != nil)
    }

    @Test("keep their version in memory where the disk takes none")
    func unwritable() throws {
        let fixture = try TeamFixture(["data/teams": "a file where the folder should be"])
        let version = try #require(try fixture.team("london").version)
        #expect(throws: FileWritingError.self) { try fixture.store.keep(version, of: "london") }
        #expect(fixture.store.version(of: "london") == version)
    }

    @Test("are watched wherever their files are, and not where their data is")
    func watched() throws {
        let fixture = try TeamFixture()
        let names = try fixture.loaded().ruleWatch.files.map { $0.replacing(fixture.folder.path + "/", with: "") }
        #expect(names.sorted() == ["routes/london/a.yaml", "routes/main.yaml", "routes/paris/b.yaml"])
        // A team's broken link is its own to mend, and hides no main file.
        try FileManager.default.createSymbolicLink(
            atPath: fixture.folder.path + "/routes/london/loop.yaml", withDestinationPath: "loop.yaml")
        let again = try fixture.loaded().ruleWatch.files.map { $0.replacing(fixture.folder.path + "/", with: "") }
        #expect(again.sorted() == ["routes/london/", "routes/main.yaml", "routes/paris/b.yaml"])
    }

    @Test("found by a reference are named by it")
    func reference() throws {
        let text = TeamFixture.configuration.replacing("routes/london/", with: "\"${env:PLACE}\"")
            .replacing("routes: routes\n", with: "routes: routes/main.yaml\n")
        let fixture = try TeamFixture(["routes/london/a.yaml": "routes: [\n"], configuration: text)
        let (_, messages) = fixture.folder.load(.running, environment: ["PLACE": "routes/london"])
        #expect(messages.contains { $0.contains("${env:PLACE}/a.yaml:") }, "\(messages)")
        #expect(!messages.contains { $0.contains("routes/london") }, "\(messages)")
        try fixture.write("routes/london/a.yaml", "routes: [{name: a, to: siem}]\n")
        let (loaded, _) = fixture.folder.load(.running, environment: ["PLACE": "routes/london"])
        let rules = try #require(loaded).rules
        #expect(rules.routes.first { $0.team == "london" }?.location.file == "${env:PLACE}/a.yaml")
        #expect(rules.teams.first?.team.paths == ["${env:PLACE}"])
    }
}
