import Testing

@Suite("The file of a target")
struct FileTargetTests {
    private func problems(_ targets: String, data: String = "./data") throws -> [String] {
        let folder = try ConfigurationFolder([
            "gatehouse.yaml": """
            data: \(data)
            sources:
              london: {vendor: signinapp, verify: none}
            targets:
            \(targets)
            routes: ./routes.yaml
            """,
            "routes.yaml": "routes:\n  - {name: some, to: one}\n",
        ])
        return folder.load().messages.filter { $0.contains("would write") }
    }

    @Test(
        "is none of Gatehouse's own",
        arguments: ["events.db", "events.db-wal", "state.db", "state.db-shm", "head", "./teams/x", "lock", "spool/y"])
    func own(name: String) throws {
        let found = try problems("  one: {type: file, path: ./data/\(name)}")
        #expect(found.count == 1 && found[0].contains("which Gatehouse keeps in `data:`"), "\(found)")
        #expect(found.first?.hasPrefix("gatehouse.yaml:5:3: ") == true, "\(found)")
    }

    @Test("is not the configuration itself")
    func configuration() throws {
        let found = try problems("  one: {type: file, path: ./gatehouse.yaml}")
        #expect(found.count == 1 && found[0].contains("into the configuration"), "\(found)")
    }

    @Test("is no other target's, however it is spelt")
    func shared() throws {
        let found = try problems(
            "  one: {type: file, path: ./archive.ndjson}\n  two: {type: file, path: ././archive.ndjson}")
        #expect(found.count == 1 && found[0].contains("the targets one and two"), "\(found)")
    }

    @Test("may lie in the data folder under a name of its own")
    func allowed() throws {
        #expect(try problems("  one: {type: file, path: ./data/head-count.ndjson}").isEmpty)
        #expect(try problems("  one: {type: file, path: ./archive}", data: ".").isEmpty)
    }
}
