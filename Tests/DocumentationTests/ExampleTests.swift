import Configuration
import Events
import Foundation
import JSON
import Rules
import TestSupport
import Testing
import YAML

/// Every example of the pages, read by the code that would read it.
@Suite("The examples of the pages") struct ExampleTests {
    /// What fragments of configurations are completed with.
    private static let sections: [(key: String, text: String)] = [
        (
            "sources",
            """
            sources:
              london: {vendor: signinapp, secrets: [s]}
              sydney: {vendor: sine, api_key: s}
              guests: {vendor: netgraph, headers: {x-portal-token: s}}
              faces: {vendor: alocity, secrets: [s]}
              lobby: {vendor: envoy, secrets: [s]}

            """
        ),
        ("sites", "sites: {london: {ids: {london: 4567}}}\n"),
        (
            "targets",
            """
            targets:
              siem: {type: file, path: ./siem}
              desk: {type: file, path: ./desk}
              crm: {type: file, path: ./crm}
              partner: {type: file, path: ./partner}
              access: {type: webhook, url: "https://access.example/ask"}
              archive: {type: file, path: ./archive}

            """
        ),
        ("routes", "routes: ./routes\n"),
    ]

    private static let routes = """
        routes:
          - {name: one, to: []}

        """

    /// Errors and warnings; a reference without a value is neither here.
    private func problems(
        _ configuration: String, routes: String, decisions: String = "decisions: []\n"
    ) throws -> [String] {
        let folder = TemporaryDirectory()
        try FileManager.default.createDirectory(atPath: folder.file("routes"), withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: folder.file("presets"), withIntermediateDirectories: true)
        try folder.write("routes/routes.yaml", routes)
        try folder.write("routes/watchlist.csv", "name,email\nAnn,ann@example.com\n")
        try folder.write("routes/partners.txt", "Acme\n")
        if configuration.contains("\ndecisions: ") { try folder.write("routes/decisions.yaml", decisions) }
        for team in ["london", "sydney"] {
            try FileManager.default.createDirectory(
                atPath: folder.file("routes/\(team)"), withIntermediateDirectories: true)
            try folder.write("routes/\(team)/routes.yaml", "routes: []\n")
        }
        let file = try folder.write("gatehouse.yaml", configuration)
        let loader = ConfigurationLoader(purpose: .checking, environment: { _ in nil })
        let (_, diagnostics) = loader.load(file)
        return diagnostics.sorted.map(\.description).filter { problem in
            !problem.contains("is not set") && !problem.contains("cannot read the file of `${file:")
        }
    }

    private func complete(_ fragment: String) -> String {
        let keys = fragment.matches(of: /(?m)^([a-z_]+):/).map { String($0.1) }
        let rest = Self.sections.filter { section in
            // Sites name sources, so they go with those they belong to.
            !keys.contains(section.key) && !(section.key == "sites" && keys.contains("sources"))
        }
        return fragment + rest.map(\.text).joined()
    }

    @Test("a configuration of a page passes check", arguments: Page.names)
    func configurations(_ name: String) throws {
        for block in try Page(name).blocks where block.language == "yaml" && block.has("config") {
            let found = try problems(block.text, routes: "routes: []\n")
            #expect(found == [], "\(name):\(block.line)")
        }
    }

    @Test("a fragment of a configuration, completed, passes check", arguments: Page.names)
    func fragments(_ name: String) throws {
        let routes = """
            lists: {do-not-contact: {file: watchlist.csv, column: email}}
            routes: []

            """
        for block in try Page(name).blocks where block.language == "yaml" && block.has("fragment") {
            let found = try problems(complete(block.text), routes: routes)
            #expect(found == [], "\(name):\(block.line)")
        }
    }

    @Test("a file of routes of a page passes check", arguments: Page.names)
    func routes(_ name: String) throws {
        for block in try Page(name).blocks where block.language == "yaml" && block.has("routes") {
            let found = try problems(complete(""), routes: block.text)
            #expect(found == [], "\(name):\(block.line)")
        }
    }

    @Test("a file of decisions of a page passes check", arguments: Page.names)
    func decisions(_ name: String) throws {
        for block in try Page(name).blocks where block.language == "yaml" && block.has("decisions") {
            let configuration = complete("\ndecisions: ./routes/decisions.yaml\n")
            let found = try problems(configuration, routes: "routes: []\n", decisions: block.text)
            #expect(found == [], "\(name):\(block.line)")
        }
    }

    @Test("what a page shows as wrong is refused", arguments: Page.names)
    func refused(_ name: String) throws {
        for block in try Page(name).blocks where block.language == "yaml" && block.has("refused") {
            let found = try problems(complete(""), routes: block.text)
            #expect(found != [], "\(name):\(block.line)")
        }
    }

    @Test("the errors a page shows are those that are told")
    func shownErrors() throws {
        let blocks = try Page("docs/routes.md").blocks
        let environment = RuleEnvironment(sources: [], vendors: [], siteKeys: [], targets: ["siem"])
        var count = 0
        for (block, shown) in zip(blocks, blocks.dropFirst()) where block.has("refused") && shown.has("output") {
            let text = Array(block.text.utf8)
            let files = RuleLoader.read([("routes/routes.yaml", text)], environment: environment)
            #expect(files.diagnostics.rendered { _ in text } + "\n" == shown.text)
            count += 1
        }
        #expect(count > 0)
    }

    @Test("every block says what it is, so that no example goes untested", arguments: Page.names)
    func marks(_ name: String) throws {
        let known: [String: Set<String>] = [
            "yaml": ["config", "fragment", "routes", "decisions", "refused", "preset"], "json": ["event"],
            "sh": ["run", "background", "verify", "install", "console", "kafka"], "text": ["output"], "python": [],
            "sql": [], "nginx": [],
        ]
        for block in try Page(name).blocks {
            let words = try #require(known[block.language], "\(name):\(block.line): what is `\(block.language)`?")
            for word in block.words where !word.contains("=") {
                #expect(words.contains(word), "\(name):\(block.line)")
            }
            if block.language == "yaml", block.words.isEmpty {
                #expect(try parseYAML(Array(block.text.utf8), file: name) == nil, "\(name):\(block.line)")
            }
        }
    }

    @Test("every JSON block parses", arguments: Page.names)
    func json(_ name: String) throws {
        for block in try Page(name).blocks where block.language == "json" {
            #expect(throws: Never.self, "\(name):\(block.line)") { try JSONParser().parse(Array(block.text.utf8)) }
        }
    }

    @Test("the example event has fields of the table only, and the id it must have")
    func exampleEvent() throws {
        let block = try #require(try Page("docs/event.md").blocks.first { $0.has("event") })
        let tape = try JSONParser().parse(Array(block.text.utf8))
        let event = try #require(EventView(tape))
        let original = try #require(event.original)
        let key = try #require(tape.member(original, "idempotency_key").flatMap(tape.text))
        #expect(event.id == EventID(keySpace: event.text(.source) ?? "", dedupeKey: Array(key.utf8)))
        for path in paths(tape, event.data, "") where !path.hasPrefix("original") {
            let isEntry = path.hasPrefix("personal.") || path.hasPrefix("additional.")
            #expect(isEntry || EventField(path: path) != nil, "there is no field \(path)")
        }
    }

    private func paths(_ tape: JSONTape, _ object: JSONIndex, _ prefix: String) -> [String] {
        tape.members(object).flatMap { key, value in
            let path = prefix + (tape.text(key) ?? "")
            return tape.kind(value) == .object ? paths(tape, value, path + ".") : [path]
        }
    }

    @Test("every command line is one the program takes")
    func commandLines() throws {
        let commands = try CommandHelp.all()
        let makefile = try Project.text("Makefile")
        var count = 0
        for name in Page.names {
            for block in try Page(name).blocks where block.language == "sh" {
                for words in CommandLines.commands(block.text) {
                    if words[0] == "make", words.count > 1 {
                        #expect(makefile.contains("\n\(words[1]):"), "\(name):\(block.line): \(words)")
                    }
                    guard words[0] == "gatehouse" else { continue }
                    count += 1
                    let command = try #require(
                        words.count > 1 ? commands.first { $0.name == words[1] } : nil,
                        "\(name):\(block.line): \(words)")
                    #expect(command.problem(Array(words.dropFirst(2))) == nil, "\(name):\(block.line): \(words)")
                }
            }
        }
        #expect(count > 30)
    }

    @Test("each row of the table of meanings is so")
    func meanings() throws {
        let table = try Page("docs/routes.md").table("Meanings that are fixed", "condition", "data", "taken")
        #expect(table.rows.count > 20)
        for row in table.rows {
            let condition = row[0].code
            let filter = try RuleFilter(condition)
            let payload =
                #"{"specversion":"1.0","type":"visitor.signin","time":"2024-07-30T09:00:00.000Z","data":\#(row[1].code)}"#
            let event = try #require(try EventView(parsing: Array(payload.utf8), with: JSONParser()))
            var scratch = MatchScratch()
            #expect(filter.takes(event, scratch: &scratch) == (row[2] == "yes"), "\(condition) for \(row[1])")
        }
    }
}
