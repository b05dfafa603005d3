import Configuration
import Foundation
import HTTPServer
import Ingest
import Rules
import Signatures
import Targets
import Testing
import Vendors
import YAML

/// A folder with a configuration and routes, gone when the test is.
final class ConfigurationFolder {
    let path = FileManager.default.temporaryDirectory.appending(path: "configuration-\(UUID().uuidString)").path

    init(_ files: [String: String]) throws {
        for (name, text) in files {
            let file = URL(filePath: path).appending(path: name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func load(
        _ purpose: ConfigurationLoader.Purpose = .checking, environment: [String: String] = [:]
    ) -> (configuration: Configuration?, messages: [String]) {
        let result = ConfigurationLoader(purpose: purpose, environment: { environment[$0] }).load(
            path + "/gatehouse.yaml")
        return (
            result.configuration,
            result.diagnostics.sorted.map { $0.description.replacingOccurrences(of: path + "/", with: "") }
        )
    }
}

@Suite("A configuration")
struct ConfigurationTests {
    static let everything = """
        listen: {address: "127.0.0.1:0", trusted_proxies: [10.0.0.0/8], connections: 500}
        console: {listen: "127.0.0.1:0"}
        data: ./state
        log: embedded
        retention: {age: 2d, size: 1GiB, dead_letters: 4d, history: 1d}
        dedupe: 2d
        shutdown: 3s
        sources:
          london: {vendor: signinapp, secrets: ["${env:LONDON}", other], group: Contractor, tolerance: 1h, max_body: 2MiB}
          query: {vendor: signinapp, secrets: x, group: {query: group}, allow: [127.0.0.0/8], dedupe_as: london}
          sydney: {vendor: sine, api_key: key, labels: {q1: Purpose}, events: {signin_request: visitor.signin.requested}}
          guests: {vendor: netgraph, headers: {x-portal-token: [a, b]}, timezone: Europe/London}
          faces: {vendor: alocity, secrets: [x], signed: payload, biometrics: keep, listen: "127.0.0.1:0"}
          lobby: {vendor: envoy, verify: none, enabled: false}
          custom:
            vendor: generic
            signature: {header: x-sig, algorithm: sha256, encoding: hex, content: "{body}"}
            secrets: [x]
            map: {event: /type, site.id: [/location/id, /site], key: /id, time: /at}
        sites:
          london: {name: London, timezone: Europe/London, ids: {london: 4567, lobby: [12, "13"]}}
        targets:
          archive: {type: file, path: ./archive.ndjson}
        routes: ./routes
        """

    static let routes = ["routes/all.yaml": "routes:\n  - {name: all, to: archive}\n"]

    @Test("with every key is read, paths from the file's own folder")
    func everything() throws {
        let folder = try ConfigurationFolder(["gatehouse.yaml": Self.everything].merging(Self.routes) { $1 })
        let (configuration, messages) = folder.load(.running, environment: ["LONDON": "the secret"])
        let loaded = try #require(configuration, "\(messages)")
        #expect(messages.isEmpty, "\(messages)")
        #expect(loaded.dataFolder == folder.path + "/state")
        #expect(loaded.retention.age == .seconds(2 * 86_400))
        #expect(loaded.sources.map(\.name) == ["london", "query", "sydney", "guests", "faces", "custom"])
        #expect(loaded.sources[0].maximumBody == 2 << 20)
        #expect(loaded.sources[1].keySpace == "london")
        #expect(loaded.credentials["london"]?.secrets.map(\.name) == ["LONDON", "2"])
        #expect(loaded.sourceListeners.keys.sorted() == ["faces"])
        #expect(loaded.sites.first?.ids == ["london": ["4567"], "lobby": ["12", "13"]])
        #expect(loaded.targets.map(\.settings.name) == ["archive"])
        #expect(loaded.routes.routes.map(\.name) == ["all"])
    }

    @Test("reports every error at once, each at its place and with what was meant")
    func errors() throws {
        let folder = try ConfigurationFolder([
            "gatehouse.yaml": """
            lisen: 127.0.0.1:8080
            dedupe: 1h
            sources:
              london: {vendor: signinap, secrets: [x]}
              sydney: {vendor: sine}
              "a b": {vendor: envoy, secrets: [x]}
              faces: {vendor: alocity, secrets: [x], tolerence: 5m}
            sites:
              one: {timezone: Europe/Londn, ids: {sydny: 1}}
            targets:
              siem: {type: sylog}
            """
        ])
        let (configuration, messages) = folder.load()
        #expect(configuration == nil)
        #expect(
            messages == [
                "gatehouse.yaml:1:1: unknown key `lisen` in the configuration (did you mean listen?)",
                "gatehouse.yaml:4:20: expected one of signinapp, sine, netgraph, alocity, envoy, generic, found `signinap` (did you mean signinapp?)",
                "gatehouse.yaml:5:11: source sydney needs its `api_key:`; to take requests from anybody, say `verify: none`",
                "gatehouse.yaml:6:3: `a b` cannot be a source's name: use letters, digits, `-`, `_` and `.`, at most 64",
                "gatehouse.yaml:7:10: tolerance of source faces (86400s) is longer than dedupe: (3600s), so a replay could be taken twice; raise dedupe: or lower tolerance:",
                "gatehouse.yaml:7:42: unknown key `tolerence` in source faces (did you mean tolerance?)",
                "gatehouse.yaml:9:19: no time zone is named `Europe/Londn`; write one such as Europe/London (did you mean Europe/London?)",
                "gatehouse.yaml:9:39: no source is named `sydny` (did you mean sydney?)",
                "gatehouse.yaml:11:3: warning: there are no routes, so that no event goes anywhere; name their files with `routes:`",
                "gatehouse.yaml:11:16: expected one of syslog, http, webhook, file, kafka, found `sylog` (did you mean syslog?)",
            ], "\(messages.joined(separator: "\n"))")
    }

    @Test("says how often a source is expected to speak, and that nobody else can be called gatehouse")
    func expectEvery() throws {
        func load(_ source: String) throws -> (Configuration?, [String]) {
            let text = "sources:\n  \(source)\ntargets: {archive: {type: file, path: ./a}}\nroutes: ./routes\n"
            return try ConfigurationFolder(["gatehouse.yaml": text].merging(Self.routes) { $1 }).load()
        }
        let (configuration, messages) = try load("london: {vendor: signinapp, secrets: [x], expect_every: 36h}")
        #expect(configuration?.sources.first?.expectEvery == .seconds(36 * 3600), "\(messages)")
        for (source, message) in [
            ("london: {vendor: signinapp, secrets: [x], expect_every: 10ms}", "1s"),
            ("gatehouse: {vendor: signinapp, secrets: [x]}", "a source cannot be called `gatehouse`"),
            ("london: {vendor: signinapp, secrets: [x], dedupe_as: gatehouse}", "dedupe_as: cannot be `gatehouse`"),
            ("london: {vendor: signinapp, secrets: [x], events: {a: system.dead_letter}}", "system.dead_letter"),
            ("london: {vendor: signinapp, secrets: [x], map: {system.target: /t}}", "no field `system.target`"),
        ] {
            let (configuration, messages) = try load(source)
            #expect(configuration == nil && messages.contains { $0.contains(message) }, "\(source): \(messages)")
        }
    }

    @Test("with a reference that has no value is refused to run, and only warned of when it is checked")
    func unsetReference() throws {
        let folder = try ConfigurationFolder([
            "gatehouse.yaml": "sources:\n  london: {vendor: signinapp, secrets: [\"${env:NOWHERE}\"]}\n"
        ])
        #expect(folder.load(.running).configuration == nil)
        let (configuration, messages) = folder.load(.checking)
        #expect(configuration != nil)
        #expect(messages.count == 1)
        #expect(messages.first?.hasPrefix("gatehouse.yaml:2:41: warning: ") == true, "\(messages)")
    }

    @Test("never shows a resolved secret in a message")
    func secretInMessage() throws {
        let folder = try ConfigurationFolder([
            "gatehouse.yaml": """
            dedupe: "${env:CANARY}"
            sources: {london: {vendor: "${env:CANARY}", secrets: ["${env:CANARY}"], allow: "${env:CANARY}"}}
            targets: {t: {type: webhook, url: "${env:CANARY}"}, f: {type: "${env:CANARY}"}}
            listen: "${env:CANARY}"
            """
        ])
        let (_, messages) = folder.load(.running, environment: ["CANARY": "kingfisher"])
        #expect(messages.count >= 5)
        #expect(!messages.contains { $0.contains("kingfisher") }, "\(messages)")
    }

    @Test("that is empty, missing or no mapping says so", arguments: ["", "- a\n", "text\n", "\u{0}"])
    func notAMapping(text: String) throws {
        let folder = try ConfigurationFolder(["gatehouse.yaml": text])
        let (configuration, messages) = folder.load()
        #expect(configuration == nil)
        #expect(messages.first?.hasPrefix("gatehouse.yaml:1:") == true, "\(messages)")
    }

    @Test("of the example folder is right, without any secret at hand")
    func example() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = root.appending(path: "deploy/gatehouse.yaml").path
        let result = ConfigurationLoader(purpose: .checking, environment: { _ in nil }).load(file)
        #expect(result.configuration != nil, "\(result.diagnostics)")
        #expect(result.diagnostics.all.allSatisfy { $0.message.contains("environment") }, "\(result.diagnostics)")
        #expect(result.configuration?.sources.count == Vendors.all.count - 1)
    }
}

@Suite("The schema of the configuration")
struct ConfigurationSchemaTests {
    private func keys(_ schema: Any?) -> Set<String> {
        guard let schema = schema as? [String: Any] else { return [] }
        if let properties = schema["properties"] as? [String: Any] { return Set(properties.keys) }
        for choice in schema["anyOf"] as? [Any] ?? [] where !keys(choice).isEmpty { return keys(choice) }
        return keys(schema["additionalProperties"])
    }

    @Test("is JSON and names exactly the keys that are read")
    func keysAreTheLoaders() throws {
        let schema = try JSONSerialization.jsonObject(with: Data(ConfigurationSchema.text.utf8)) as? [String: Any]
        let top = try #require(schema?["properties"] as? [String: Any])
        // What nobody reads is an unknown key; what the schema lacks would be an unknown key in the schema's eyes.
        for (section, prefix) in [
            ("", ""), ("sources", "sources: {s: "), ("sites", "sites: {s: "), ("teams", "teams: {s: "),
            ("retention", "retention: "),
        ] {
            let known = section.isEmpty ? Set(top.keys) : keys(top[section])
            #expect(!known.isEmpty)
            let text = known.sorted().map { "\"\($0)\": [[]]" }.joined(separator: ", ") + ", zzzzzzzz: 1"
            let closing = prefix.hasSuffix("s: ") && prefix.contains("{") ? "}}" : "}"
            let folder = try ConfigurationFolder([
                "gatehouse.yaml": "\(prefix){\(text)\(section.isEmpty ? "}" : closing)\n"
            ])
            let unknown = folder.load().messages.filter { $0.contains("unknown key") }
            #expect(unknown.count == 1 && unknown[0].contains("zzzzzzzz"), "\(section): \(unknown)")
        }
    }
}
