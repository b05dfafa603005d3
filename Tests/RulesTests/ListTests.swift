import Testing
import YAML

@testable import Rules

@Suite("Lists out of files")
struct ListTests {
    /// Whether the condition takes the group, by the plan and by the plain evaluator.
    private func takes(_ group: String, list: String, column: String? = nil) throws -> Bool {
        let text = """
            lists: {watch: {file: lists/watch.csv\(column.map { ", column: \"\($0)\"" } ?? "")}}
            routes: [{name: r, to: siem, when: {group: {in_list: watch}}}]
            """
        let files = read([text], environment: ruleEnvironment(files: ["lists/watch.csv": list]))
        try #require(!files.diagnostics.hasErrors, "\(files.diagnostics)")
        let event = try event("{\"group\":{\"name\":\(quoted(group))}}")
        var scratch = MatchScratch()
        let isTaken = !RulePlan(files.routes).match(event, scratch: &scratch).isEmpty
        let plain = PlainEvaluator(sourceZones: [:]).takes(try #require(files.routes.first), event)
        #expect(isTaken == (plain == .taken))
        return isTaken
    }

    private func complaint(_ list: String, column: String? = nil) -> String {
        let text = "lists: {watch: {file: w.csv\(column.map { ", column: \"\($0)\"" } ?? "")}}\n"
        return read([text], environment: ruleEnvironment(files: ["w.csv": list])).diagnostics.description
    }

    @Test("a value is in a list as it equals an entry: case and outer spaces do not count, nothing else is forgiven")
    func folding() throws {
        let list = "  Acme Ltd \r\nÉCLAIR\n\n# Globex\n7\n"
        for name in ["acme ltd", "ACME LTD  ", "éclair", "7"] { #expect(try takes(name, list: list), "\(name)") }
        for name in ["acme", "acme  ltd", "eclair", "globex", "# globex", "7.0", "07", ""] {
            #expect(try !takes(name, list: list), "\(name)")
        }
    }

    @Test(
        "of a table one column counts, found by its name, whatever stands between columns",
        arguments: [",", ";", "\t"])
    func tables(separator: String) throws {
        let rows = [
            ["Name", "\"E-mail\"", "Why"], ["Ann", "ANN@acme.com", "x"], ["\"Bo\"\"b y\"", "b@x.org", ""],
            ["C", "", "z"],
        ]
        let list = "\u{feff}" + rows.map { $0.joined(separator: separator) }.joined(separator: "\r\n")
        #expect(try takes("ann@acme.com", list: list, column: "e-mail"))
        #expect(try takes("b@x.org", list: list, column: " E-MAIL "))
        #expect(try takes("bo\"b y", list: list, column: "name"))
        #expect(try !takes("ann", list: list, column: "e-mail"))
        #expect(try !takes("e-mail", list: list, column: "e-mail"), "the line of names is no entry")
        #expect(try takes("z", list: list, column: "why"))
    }

    @Test("what is written out where a file is meant is told what to write")
    func writtenOut() {
        let found = complaints("lists: {watch: [ann@acme.com]}\n")
        #expect(found.contains("a list is read from a file: write its path"), "\(found)")
    }

    @Test("what is cut off or out of shape is an error that says where, and no shorter list")
    func shape() {
        #expect(
            complaint("name,email\na,b\n", column: "emial")
                == "w.csv:1:1: the first line names no column `emial`; it names name, email (did you mean email?)")
        #expect(
            complaint("name,email\n\"a\nA\",b\n\nc\nd,e\n", column: "email")
                == "w.csv:5:1: the line has 1 of the table's 2 columns")
        #expect(
            complaint("name,email\na,\"b\nc\n", column: "email")
                == "w.csv:2:1: a quote that begins here is never closed")
        #expect(
            complaint("name,email\na,\"b\"c\n", column: "email")
                == "w.csv:2:1: something stands behind a closing quote; a quote inside one is doubled")
        #expect(complaint(String(repeating: "x", count: 1001)) == "w.csv:1:1: an entry has more than 1000 bytes")
        #expect(complaint("# nobody\n").contains("the list is empty: nothing is in it"))
        for blank in ["", "\n", " \r\n\t\n"] {
            #expect(complaint(blank).contains("has nothing in it; where that is meant, write a line into it"))
        }
        #expect(complaint("", column: "email").contains("the first line names no column `email`"))
    }

    @Test("a million entries are a list, one more is an error; what is twice counts once")
    func size() throws {
        var bytes: [UInt8] = []
        for number in 0..<TextList.mostEntries { bytes += Array("visitor-\(number)@example.com\n".utf8) }
        let list = try ListFile.read(bytes + Array("VISITOR-0@example.com\n".utf8), column: nil, name: "l")
        #expect(list.count == TextList.mostEntries)
        #expect(list.memory < 64 << 20, "\(list.memory)")
        #expect(list.contains(Array("visitor-999999@example.com".utf8)))
        #expect(!list.contains(Array("visitor-1000000@example.com".utf8)))
        let error = #expect(throws: ListFileError.self) {
            try ListFile.read(Array("a\nA\nb\nc\n".utf8), column: nil, name: "l", mostEntries: 2)
        }
        #expect(error?.line == 4)
    }

    @Test("bytes that are no text are an error")
    func encoding() {
        let error = #expect(throws: ListFileError.self) {
            try ListFile.read([0x61, 0x0A, 0xFF, 0x0A], column: nil, name: "l")
        }
        #expect(error?.line == 2)
    }

    @Test("a list stands beside the file that names it; one that is not there, or not named, is an error")
    func names() {
        let missing = "lists: {a: nowhere.txt}\nroutes: [{name: r, to: siem, when: {group: {in_list: a}}}]\n"
        #expect(
            read([missing]).diagnostics.description
                == "a.yaml:1:12: cannot read the list nowhere.txt: No such file or directory")
        let unknown = "routes: [{name: r, to: siem, when: {group: {in_list: wach}}}]\n"
        #expect(
            read([watchList, unknown]).diagnostics.description
                == "b.yaml:1:54: no list is called `wach` (did you mean watch?)")
        #expect(
            read([unknown]).diagnostics.description == "a.yaml:1:54: no list is called `wach`; no file has `lists:`")
        #expect(
            complaints(when: "{group: {in_list: []}}")
                == "19: `in_list:` names no list; name one of `lists:`, or remove it")
        #expect(phrase("{group: x}") == "group is x")
    }

    @Test("rules tell of lists by their names, with their team")
    func phrases() throws {
        let text =
            "\(watchList)routes: [{name: r, to: siem, when: {group: {in_list: watch}, not: {host: {name: {in_list: [watch, watch]}}}}}]\n"
        #expect(
            read([text]).routes.map(\.condition.phrase) == [
                "group is in the list watch and host.name is in none of the lists watch, watch"
            ])
    }

    @Test("plans whose lists hold something else are other plans")
    func hashes() {
        let text = "\(watchList)routes: [{name: r, to: siem, when: {group: {in_list: watch}}}]\n"
        func hash(_ list: String) -> String {
            RulePlan(read([text], environment: ruleEnvironment(files: ["watch.txt": list])).routes).hash
        }
        #expect(hash("a\nb\n") == hash("A\n\nb"))
        #expect(hash("a\nb\n") != hash("a\nc\n"))
        #expect(hash("ab\n") != hash("a\nb\n"))
    }

    @Test("a team's list is one of its own files, and its last version is kept with the routes")
    func teams() throws {
        let rules = "routes: [{name: r, to: siem, when: {group: {in_list: vip}}}]\n"
        let files = [
            "london/r.yaml": "lists: {vip: vip.txt}\n" + rules, "london/vip.txt": "ann\n", "secret.txt": "x\n",
        ]
        try withFolder(files) { folder in
            var team = try team()
            team.paths = [folder + "/london/"]
            func load(_ kept: TeamVersion?) throws -> (sets: RuleSets, team: TeamStanding) {
                var diagnostics = Diagnostics()
                let loader = RuleSetLoader(
                    environment: environmentOfDisk, teams: [team], nowMs: 5, keptVersion: { _ in kept })
                let sets = loader.load(paths: [], at: SourceLocation(file: "g.yaml"), &diagnostics)
                return (sets, try #require(sets.teams.first))
            }
            let first = try load(nil)
            let version = try #require(first.team.version)
            #expect(first.team.state == .current, "\(first.team.diagnostics)")
            #expect(version.lists.map(\.bytes) == [Array("ann\n".utf8)])
            #expect(first.sets.listFiles == [folder + "/london/vip.txt"])
            #expect(TeamVersion(json: version.json) == version)

            try write(
                ["london/vip.txt": "bob\n", "london/r.yaml": "lists: {vip: {file: vip.txt, column: x}}\n" + rules],
                in: folder)
            let broken = try load(version)
            #expect(broken.team.state == .kept)
            #expect(broken.sets.plan.hash == first.sets.plan.hash, "with the list as it was")
            #expect(broken.sets.listFiles == first.sets.listFiles, "watched for being mended")

            try write(["london/r.yaml": "lists: {vip: ../secret.txt}\n"], in: folder)
            let foreign = try load(nil).team.diagnostics.description
            #expect(foreign.contains("a list of team london stands among the team's files"), "\(foreign)")
        }
    }

    private var environmentOfDisk: RuleEnvironment {
        var environment = environment
        environment.readFile = { (path, limit) throws(FileReadingError) in try readFile(path, maximumBytes: limit) }
        return environment
    }
}
