import Targets
import Testing

@testable import Configuration

@Suite("Presets of one's own")
struct PresetFolderTests {
    private static let desk: String = """
        description: our desk
        parameters: {host: {kind: origin, required: true, description: where it is}}
        url: "${parameter:host}/visits"
        """

    private func load(
        _ files: [String: String], targets: String = "{}"
    ) throws -> (configuration: Configuration?, messages: [String]) {
        var files = files
        files["gatehouse.yaml"] = "presets: ./presets\ntargets: \(targets)\n"
        return try ConfigurationFolder(files).load()
    }

    @Test("are the files of a folder, by name, and targets may name them")
    func used() throws {
        let (configuration, messages) = try load(
            ["presets/desk.yaml": Self.desk, "presets/notes.txt": "no preset"],
            targets: #"{desk: {type: http, preset: desk, host: "https://desk.example"}}"#)
        #expect(messages == [])
        #expect(configuration?.targets.map(\.destination) == ["https://desk.example/visits"])
        #expect(
            configuration?.presets["desk"]?.isShipped == false && configuration?.presets["slack"]?.isShipped == true)
        #expect(configuration?.presets.files.count == 1)
    }

    @Test("with errors are told of once: not as unknown by the targets that name them")
    func brokenOnce() throws {
        let (configuration, messages) = try load(
            ["presets/desk.yaml": Self.desk.replacing("kind: origin", with: "kind: orgin")],
            targets: #"{desk: {type: http, preset: desk, host: "https://desk.example"}}"#)
        #expect(configuration == nil && messages.count == 1, "\(messages)")
        #expect(messages.first?.contains("presets/desk.yaml:2:27: ") == true, "\(messages)")
    }

    @Test(
        "are refused, at their place, when they are wrong",
        arguments: [
            (["presets/hubspot.yaml": desk], "presets/hubspot.yaml:1:1", "a preset of Gatehouse's own"),
            (
                ["presets/desk.yaml": desk, "presets/more/desk.yml": desk], "presets/more/desk.yml:1:1",
                "another preset"
            ),
            (["presets/a b.yaml": desk], "presets/a b.yaml:1:1", "a preset's name is its file's"),
            (["presets/desk.yaml": "url: x"], "presets/desk.yaml:1:1", "needs `description:`"),
            ([:], "gatehouse.yaml:1:10", "cannot be read"),
        ] as [([String: String], String, String)])
    func refused(files: [String: String], place: String, message: String) throws {
        let (configuration, messages) = try load(files)
        #expect(configuration == nil)
        #expect(messages.count == 1 && messages[0].contains(message), "\(messages)")
        #expect(messages.first?.contains(place) == true, "\(messages)")
    }
}
