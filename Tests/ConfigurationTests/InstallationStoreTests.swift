import Configuration
import Events
import Foundation
import Ingest
import Testing

@Suite("What is kept of installations")
struct InstallationStoreTests {
    private func installation(_ id: String, source: String = "lobby", second: Int64 = 0) -> AppInstallation {
        AppInstallation(source: source, id: id, at: Timestamp(milliseconds: 1_700_000_000_000 + second * 1000))
    }

    @Test("is there after a restart, the one told of last at the end, each once")
    func kept() throws {
        let folder = try ConfigurationFolder(["gatehouse.yaml": ""])
        let store = InstallationStore(dataFolder: folder.path)
        #expect(try store.all() == [])
        #expect(try store.keep(installation("1")))
        #expect(try store.keep(installation("2")))
        #expect(try store.keep(installation("1", source: "desk")))
        #expect(try !store.keep(installation("1", second: 5)), "it is known")
        let again = try InstallationStore(dataFolder: folder.path).all()
        #expect(again == [installation("2"), installation("1", source: "desk"), installation("1", second: 5)])
        let mode = try FileManager.default.attributesOfItem(atPath: folder.path + "/installations.json")[
            .posixPermissions]
        #expect(mode as? Int == 0o600)
    }

    @Test("is bounded: those told of longest ago go")
    func bounded() throws {
        let folder = try ConfigurationFolder(["gatehouse.yaml": ""])
        let text = (0..<InstallationStore.most).map { number in
            "{\"install\":\"\(number)\",\"source\":\"lobby\",\"at\":\"2024-07-30T01:49:27.000Z\"}"
        }
        try "[\(text.joined(separator: ","))]".write(
            toFile: folder.path + "/installations.json", atomically: true, encoding: .utf8)
        let store = InstallationStore(dataFolder: folder.path)
        #expect(try store.all().count == InstallationStore.most)
        _ = try store.keep(installation("new"))
        let ids = try store.all().map(\.id)
        #expect(ids.count == InstallationStore.most && ids.first == "1" && ids.last == "new")
    }

    @Test("that was damaged is said so, and is no reason to keep nothing more")
    func damaged() throws {
        let folder = try ConfigurationFolder(["installations.json": "[{"])
        let store = InstallationStore(dataFolder: folder.path)
        #expect(throws: (any Error).self) { try store.all() }
        _ = try store.keep(installation("1"))
        #expect(try store.all().map(\.id) == ["1"])
    }

    @Test("cannot be kept where there is no folder")
    func unwritable() {
        #expect(throws: (any Error).self) {
            try InstallationStore(dataFolder: "/nonexistent/gatehouse").keep(installation("1"))
        }
    }
}
