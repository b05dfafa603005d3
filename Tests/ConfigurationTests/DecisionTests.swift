import Configuration
import Foundation
import Ingest
import Rules
import Testing

@Suite("Decisions in a configuration")
struct DecisionTests {
    private static let configuration = """
        sources:
          sydney: {vendor: sine, api_key: key}
          lobby: {vendor: envoy, secrets: x, mode: decision, deadline: 10s}
          front: {vendor: envoy, secrets: x}
          tried: {vendor: sine, api_key: key, mode: shadow}
          quiet: {vendor: sine, api_key: key, mode: notify}
        targets:
          archive: {type: file, path: ./archive}
          access: {type: webhook, url: "https://access.example/ask"}
          off: {type: webhook, url: "https://access.example/ask", enabled: false}
        sites: {london: {ids: {lobby: 1}}}

        """

    private func load(
        _ more: String, decisions: String = "decisions: []\n", team: String = "decisions: []\n"
    ) throws -> (configuration: Configuration?, messages: [String]) {
        let folder = try ConfigurationFolder([
            "gatehouse.yaml": Self.configuration + more, "routes/r.yaml": "routes: [{name: r, to: archive}]\n",
            "routes/decisions.yaml": decisions, "routes/london/r.yaml": "routes: []\n", "london.yaml": team,
        ])
        return folder.load()
    }

    private static let files = "routes: routes\ndecisions: routes/decisions.yaml\n"
    private static let team =
        "teams: {london: {files: routes/london, scope: {site: {key: london}}, targets: access, decisions: london.yaml}}\n"

    @Test("name the file, which is none of the routes; without it nothing is decided")
    func file() throws {
        let (configuration, messages) = try load(Self.files, decisions: "decisions: [{name: a, admit: {}}]\n")
        #expect(messages == [])
        #expect(configuration?.rules.decisions?.decisions.map(\.name) == ["a"])
        #expect(configuration?.intake.decisions != nil)
        #expect(configuration?.ruleWatch.files.contains { $0.hasSuffix("/routes/decisions.yaml") } == true)
        #expect(try load("routes: routes/r.yaml\n").configuration?.intake.decisions == nil)
    }

    @Test("are made by the sources whose senders wait, each by its mode and deadline")
    func modes() throws {
        let sources = try #require(try load(Self.files).configuration).sources
        func within(_ name: String) throws -> Duration? {
            try #require(sources.first { $0.name == name }).answerWithin
        }
        #expect(try within("sydney") == .milliseconds(4500))
        #expect(try within("lobby") == .seconds(10))
        #expect(try within("front") == nil)
        #expect(try within("tried") == .milliseconds(4500))
        #expect(try within("quiet") == nil)
    }

    @Test("of a team are asked first, and its errors are its own")
    func teams() throws {
        let text = "decisions: [{name: a, deny: x}]\n"
        let (configuration, messages) = try load(Self.files + Self.team, decisions: text, team: text)
        #expect(configuration?.rules.decisions?.decisions.map(\.name) == ["london/a", "a"], "\(messages)")
        let broken = try load(Self.files + Self.team, decisions: text, team: "decisions: [{name: a}]\n")
        #expect(broken.messages.contains { $0.hasPrefix("london.yaml:1:13: a decision needs one of") })
        let alone = try load("routes: routes/r.yaml\n" + Self.team, team: text)
        #expect(alone.messages.contains { $0.contains("team london has `decisions:`") })
    }

    @Test(
        "that are wrong are told where they stand",
        arguments: [
            ("decisions: [a, b]\n", "", "this names one file, not a list"),
            ("decisions: none.yaml\n", "", "none.yaml:1:1: cannot read the file"),
            (files, "decisions: [{name: a, ask: {target: archive}}]\n", "decisions.yaml:1:37: archive cannot be asked"),
            (files, "decisions: [{name: a, ask: {target: off}}]\n", "off cannot be asked"),
        ])
    func errors(_ more: String, _ decisions: String, _ expected: String) throws {
        let found = try load(more, decisions: decisions.isEmpty ? "decisions: []\n" : decisions)
        #expect(found.configuration == nil)
        #expect(found.messages.contains { $0.contains(expected) }, "\(found.messages)")
    }

    @Test(
        "of a source that cannot be kept are refused",
        arguments: [
            ("{vendor: signinapp, secrets: x, mode: decision}", "signinapp never waits for a decision"),
            ("{vendor: netgraph, headers: {a: b}, deadline: 1s}", "netgraph never waits for a decision"),
            ("{vendor: sine, api_key: x, mode: decide}", "decide"),
            ("{vendor: sine, api_key: x, deadline: 5s}", "4500ms"),
            ("{vendor: envoy, secrets: x, deadline: 30s}", "29500ms"),
            ("{vendor: envoy, secrets: x, deadline: 10ms}", "300ms"),
        ])
    func sourceErrors(_ source: String, _ expected: String) throws {
        let folder = try ConfigurationFolder(["gatehouse.yaml": "sources: {s: \(source)}\n"])
        let found = folder.load()
        #expect(found.configuration == nil)
        #expect(
            found.messages.contains { $0.hasPrefix("gatehouse.yaml:1:") && $0.contains(expected) }, "\(found.messages)")
    }
}
