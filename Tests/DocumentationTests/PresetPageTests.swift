import Events
import JSON
import Testing
import YAML

@testable import Targets

/// The page of presets, compared with their files, and each example at work.
@Suite("The page of presets") struct PresetPageTests {
    private static let page = "docs/presets.md"

    @Test("every preset is in the table, and has a section of its own")
    func list() throws {
        let rows = try Page(Self.page).table("Presets", "preset", "sends to").rows
        #expect(rows.flatMap { $0[0].codes } == PresetCatalogue.shipped.all.map(\.name))
        #expect(rows.map { $0[1] } == PresetCatalogue.shipped.all.map(\.description))
    }

    @Test(
        "every parameter is in its preset's table, with its default", arguments: PresetCatalogue.shipped.all.map(\.name)
    )
    func parameters(name: String) throws {
        let preset = try #require(PresetCatalogue.shipped[name])
        let rows = try Page(Self.page).table(name, "parameter", "default", "meaning").rows
        #expect(rows.map { $0[0].code } == preset.parameters.map(\.name))
        for (row, parameter) in zip(rows, preset.parameters) {
            let hasLongDefault = parameter.fallback != nil && parameter.fallbackText == nil
            #expect(row[1] == (hasLongDefault ? "see `presets show`" : parameter.fallbackText.map { "`\($0)`" } ?? ""))
            #expect(row[2] == parameter.description + (parameter.isRequired ? "; required" : ""))
        }
    }

    @Test("the keys and kinds of parameters are in their tables")
    func language() throws {
        let page = try Page(Self.page)
        #expect(
            try page.table("Presets of your own", "key").rows.map { $0[0].code }
                == ["description", "kind", "required", "default", "one_of"])
        #expect(
            try page.table("Presets of your own", "kind").rows.map { $0[0].code }
                == PresetParameter.Kind.allCases.map(\.rawValue))
    }

    private static let secrets: @Sendable (String) -> String? = { name in
        name == "SLACK_WEBHOOK" ? "https://hooks.slack.com/services/T0/B0/X0" : "s3cret"
    }

    @Test("the example of every preset makes a request", arguments: PresetCatalogue.shipped.all.map(\.name))
    func examples(name: String) throws {
        let block = try #require(
            try Page(Self.page).blocks.first {
                $0.has("fragment") && $0.text.contains("preset: \(name)\n") && $0.text.contains("tls:")
            }
                ?? Page(Self.page).blocks.last { $0.has("fragment") && $0.text.contains("preset: \(name)\n") })
        // A key that is a file is tried in the tests of targets; here a secret stands in.
        let text = block.text
            .replacing("private_key: \"${file:/run/secrets/sentinel-key.pem}\"", with: "client_secret: s")
            .replacing(/\n +(certificate|tls): [^\n]*/, with: "")
        var diagnostics = Diagnostics()
        let root = try #require(try parseYAML(Array(text.utf8), file: Self.page))
        let node = resolveReferences(
            root, environment: Self.secrets, readFile: { _ in "" }, unset: .error, &diagnostics)
        let entry = try #require(node["targets"]?.entries?.first)
        let decoded = TargetTypes.decode(name: entry.name, node: entry.value, &diagnostics)
        #expect(diagnostics.isEmpty, "\(diagnostics)")
        let blueprint = try #require(decoded)
        let event = SampleEvent.make(now: .now())
        let rendition = try blueprint.rendition(
            of: OutgoingEvent(event: event, routes: []), hostname: "gate", now: .now())
        #expect(["POST", "PATCH"].contains(rendition.method))
        #expect(!String(decoding: rendition.bytes, as: UTF8.self).contains("${"))
        #expect(!rendition.destination.contains("${parameter"))
    }

    @Test("the example of a preset of one's own is one, and a target can use it")
    func ownPreset() throws {
        let block = try #require(try Page(Self.page).blocks.first { $0.has("preset") })
        var diagnostics = Diagnostics()
        let read = Preset(name: "front-desk", text: Array(block.text.utf8), file: "front-desk.yaml", &diagnostics)
        let preset = try #require(read, "\(diagnostics)")
        var presets = PresetCatalogue.shipped
        presets.add(preset, at: SourceLocation(file: "front-desk.yaml"), &diagnostics)
        let yaml = "{type: http, preset: front-desk, host: \"https://desk.example\", token: t}"
        let node = try #require(try parseYAML(Array(yaml.utf8), file: "t"))
        let blueprint = TargetTypes.decode(name: "desk", node: node, presets: presets, &diagnostics)
        #expect(blueprint != nil && diagnostics.isEmpty, "\(diagnostics)")
    }
}
