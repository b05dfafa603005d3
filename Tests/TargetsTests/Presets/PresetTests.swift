import Events
import HTTPClient
import HTTPTypes
import JSON
import Testing
import YAML

@testable import Targets

/// A preset of a user's, and targets that name presets.
enum PresetBench {
    /// A catalogue with one more preset.
    static func catalogue(_ text: String, name: String = "ours") throws -> (
        presets: PresetCatalogue, messages: [String]
    ) {
        var diagnostics = Diagnostics()
        var presets = PresetCatalogue.shipped
        let file = "/etc/gatehouse/presets/\(name).yaml"
        if let preset = Preset(name: name, text: Array(text.utf8), file: file, &diagnostics) {
            presets.add(preset, at: SourceLocation(file: file), &diagnostics)
        }
        return (presets, diagnostics.sorted.map(\.description))
    }

    static func decode(
        _ text: String, _ presets: PresetCatalogue, environment: [String: String] = [:]
    ) throws -> (blueprint: HTTPBlueprint?, messages: [String]) {
        var diagnostics = Diagnostics()
        let parsed = try #require(try parseYAML(Array(text.utf8), file: "gatehouse.yaml"))
        let node = resolveReferences(
            parsed, environment: { environment[$0] }, readFile: { _ in "" }, unset: .warning, &diagnostics)
        let blueprint = TargetTypes.decode(name: "crm", node: node, presets: presets, &diagnostics)
        let known = (blueprint as? UnresolvedBlueprint)?.known ?? blueprint
        return (known as? HTTPBlueprint, diagnostics.sorted.map(\.description))
    }

    static let ours = """
        description: a service of ours
        parameters:
          host: {kind: origin, required: true, description: where it is}
          token: {kind: secret, required: true, description: its token}
          room: {kind: word, description: a room}
          words: {kind: template, default: {name: "{visitor.name}"}, description: what is said}
          colour: {one_of: [red, green], default: red, description: a colour}
        url: "${parameter:host}/rooms"
        headers: {Authorization: "Key ${parameter:token}", X-Room: "${parameter:?room}", X-Colour: "${parameter:colour}"}
        batch: {max_events: 7, every: 1s}
        rate: 5/s
        body:
          room: "${parameter:?room}"
          kind: visit
          "${parameter:words}":
        """
}

@Suite("Presets")
struct PresetTests {
    private func bodies(_ blueprint: HTTPBlueprint) throws -> String {
        let request = try blueprint.render(
            [Sample.outgoing(try Sample.event())], headers: blueprint.request.headers(contentType: nil),
            timestampSeconds: 0)
        return text(request.body)
    }

    @Test("fill in what a target does not say, with the parameters in their places")
    func fills() throws {
        let (presets, problems) = try PresetBench.catalogue(PresetBench.ours)
        #expect(problems == [])
        let (decoded, messages) = try PresetBench.decode(
            #"{type: http, preset: ours, host: "https://x.example:8443", token: abc}"#, presets)
        #expect(messages == [])
        let blueprint = try #require(decoded)
        #expect(blueprint.request.endpoint.url == "https://x.example:8443/rooms")
        #expect(blueprint.request.headers["Authorization"] == "Key abc")
        #expect(blueprint.request.headers["X-Room"] == nil && blueprint.request.headers["X-Colour"] == "red")
        #expect(blueprint.settings.rate == RateLimit("5/s"))
        #expect(blueprint.request.settings.batch?.maximumEvents == 7)
        #expect(try bodies(blueprint) == #"[{"kind":"visit","name":"John Smith"}]"#)
    }

    @Test("the target's own keys go first: headers, batch and tls key by key, all others whole")
    func merges() throws {
        let presets = try PresetBench.catalogue(PresetBench.ours).presets
        let (decoded, messages) = try PresetBench.decode(
            """
            type: http
            preset: ours
            host: https://x.example
            token: abc
            room: "7"
            rate: 1/s
            headers: {X-Room: mine, X-More: more}
            batch: {max_events: 9}
            body: {only: "{id}"}
            """, presets)
        #expect(messages == [])
        let blueprint = try #require(decoded)
        #expect(blueprint.request.headers["X-Room"] == "mine" && blueprint.request.headers["X-More"] == "more")
        #expect(blueprint.request.headers["Authorization"] == "Key abc")
        #expect(blueprint.settings.rate == RateLimit("1/s"))
        let batch = try #require(blueprint.request.settings.batch)
        #expect(batch.maximumEvents == 9 && batch.every == .seconds(1))
        #expect(try bodies(blueprint) == #"[{"only":"\#(Sample.id)"}]"#)
    }

    @Test("what only a replaced key would need need not be given")
    func unneeded() throws {
        let presets = try PresetBench.catalogue(PresetBench.ours).presets
        let (blueprint, messages) = try PresetBench.decode(
            #"{type: http, preset: ours, url: "https://y.example/", token: abc}"#, presets)
        #expect(messages == [] && blueprint?.request.endpoint.url == "https://y.example/")
    }

    @Test("a secret stays one: nothing shows it, and a value that is not there yet is no error")
    func secrets() throws {
        let presets = try PresetBench.catalogue(PresetBench.ours).presets
        let yaml = #"{type: http, preset: ours, host: "https://x.example", token: "${env:T}"}"#
        let blueprint = try #require(try PresetBench.decode(yaml, presets, environment: ["T": "s3cret"]).blueprint)
        #expect(blueprint.request.headers["Authorization"] == "Key s3cret")
        let version = try #require(blueprint.settings.version)
        #expect(!text(version.source).contains("s3cret") && text(version.source).contains("Key ${env:T}"))
        let (unset, messages) = try PresetBench.decode(yaml, presets)
        #expect(unset != nil && messages.count == 1 && messages[0].contains("T is not set"))
        let plain = try #require(
            try PresetBench.decode(#"{type: http, preset: ours, host: "https://x.example", token: pla1n}"#, presets)
                .blueprint)
        #expect(try !text(#require(plain.settings.version).source).contains("pla1n"))
    }

    @Test("history keeps the target whole, so that it can be read without the preset")
    func version() throws {
        let presets = try PresetBench.catalogue(PresetBench.ours).presets
        let blueprint = try #require(
            try PresetBench.decode(
                #"{type: http, preset: ours, host: "https://x.example", token: "${env:T}"}"#, presets,
                environment: ["T": "s"]
            )
            .blueprint)
        let version = try #require(blueprint.settings.version)
        let again = try version.blueprint(
            present: blueprint.settings, environment: { $0 == "T" ? "s" : nil }, readFile: { _ in "" })
        #expect(again.settings.version == version)
        #expect((again as? HTTPBlueprint)?.request.headers["Authorization"] == "Key s")
    }

    @Test("only http targets have them")
    func otherTypes() throws {
        let (blueprint, messages) = try PresetBench.decode(
            "{type: webhook, preset: slack, url: \"https://x.example\"}", .shipped)
        #expect(blueprint == nil && messages.count == 1 && messages[0].contains("unknown key `preset`"))
    }

    @Test(
        "a file that is no preset is refused, at its place",
        arguments: [
            ("", "the file is empty"), ("[]", "must be a mapping"), ("url: x", "needs `description:`"),
            ("description: d\ntype: http", ":2:1: a preset cannot say `type:`"),
            ("description: d\nallow: 10.0.0.0/8", "cannot say `allow:`"),
            ("description: d\nurl: \"${parameter:hosst}\"\nparameters: {host: {description: h}}", "hosst"),
            ("description: d\nurl: \"${env:URL}\"", "has no meaning in a preset"),
            ("description: d\nurl: \"${parameter:a}\"\nparameters: {a: {description: h}}", "needs a default"),
            ("description: d\nparameters: {a: {description: h, required: true, default: x}}", "has no default"),
            ("description: d\nparameters: {a: {kind: number, description: h}}", "one of text"),
            ("description: d\nparameters: {type: {description: h}}", "already means something else"),
            ("description: d\nparameters: {A: {description: h}}", "small letters"),
            ("description: d\nparameters: {a: {}}", "needs `description:`"), ("description: d\nurl: {", "ours.yaml:"),
        ])
    func refused(text: String, message: String) throws {
        let (presets, messages) = try PresetBench.catalogue(text)
        #expect(presets["ours"] == nil)
        #expect(messages.contains { $0.contains(message) }, "\(messages)")
    }

    @Test("a default that leads back to itself is an error, not a hang")
    func circle() throws {
        let (presets, problems) = try PresetBench.catalogue(
            """
            description: d
            parameters:
              a: {default: "${parameter:b}", description: a}
              b: {default: "${parameter:a}", description: b}
            url: "https://${parameter:a}"
            """)
        #expect(problems == [])
        let (blueprint, messages) = try PresetBench.decode("{type: http, preset: ours}", presets)
        #expect(blueprint == nil && messages.contains { $0.contains("leads back to itself") }, "\(messages)")
    }

    @Test("nobody's preset takes the place of a shipped one, or of another")
    func shadows() throws {
        let (presets, messages) = try PresetBench.catalogue(PresetBench.ours, name: "hubspot")
        #expect(presets["hubspot"]?.isShipped == true)
        #expect(messages.count == 1 && messages[0].contains("a preset of Gatehouse's own"))
        var diagnostics = Diagnostics()
        var twice = try PresetBench.catalogue(PresetBench.ours).presets
        let again = try #require(twice["ours"])
        twice.add(again, at: SourceLocation(file: "b/ours.yaml"), &diagnostics)
        #expect(diagnostics.description.contains("another preset `ours`"))
    }

    @Test("those that are shipped are all there, and in the very form of a user's")
    func shipped() throws {
        let names = [
            "datadog", "dynamics", "elasticsearch", "hubspot", "salesforce", "sentinel", "slack", "splunk-hec",
        ]
        #expect(PresetCatalogue.shipped.all.map(\.name) == names)
        for preset in PresetCatalogue.shipped.all {
            var diagnostics = Diagnostics()
            let copy = Preset(name: "copy", text: preset.text, file: "copy.yaml", &diagnostics)
            #expect(copy?.entries.count == preset.entries.count && diagnostics.isEmpty, "\(diagnostics)")
        }
    }
}
