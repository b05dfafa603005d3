import Configuration
import Foundation
import Ingest
import Targets
import Testing
import YAML

@Suite("A field policy in the configuration")
struct FieldPolicyTests {
    private func load(_ text: String) throws -> (configuration: Configuration?, messages: [String]) {
        let file = FileManager.default.temporaryDirectory.appending(path: "policy-\(UUID().uuidString).yaml")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(text.utf8).write(to: file)
        let (configuration, diagnostics) = ConfigurationLoader(purpose: .checking, environment: { _ in nil }).load(
            file.path)
        return (configuration, diagnostics.sorted.map(\.description))
    }

    @Test("stands at a source and at a target")
    func places() throws {
        let (loaded, messages) = try load(
            """
            sources:
              london: {vendor: generic, verify: none, redact: [visitor.phone], hash: {key: 0123456789abcdef, fields: visitor.name}}
              plain: {vendor: generic, verify: none}
            targets:
              siem: {type: file, path: ./a.ndjson, only: [visitor.id], coarsen: {time: day}}
            """)
        let configuration = try #require(loaded, "\(messages)")
        #expect(configuration.sources.map { $0.fieldPolicy != nil } == [true, false])
        #expect(configuration.targets.first?.settings.fieldPolicy != nil)
    }

    @Test("that is wrong is an error at its place, with the nearest right name", arguments: ["sources", "targets"])
    func errors(section: String) throws {
        let entry =
            section == "sources"
            ? "london: {vendor: generic, verify: none" : "siem: {type: file, path: ./a.ndjson"
        let (loaded, messages) = try load("\(section):\n  \(entry),\n    redact: [visitor.fone]}\n")
        #expect(loaded == nil)
        #expect(
            messages.contains {
                $0.contains(":3:14: there is no field `visitor.fone`") && $0.contains("visitor.phone")
            }, "\(messages)")
    }
}
