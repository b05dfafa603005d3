import Foundation
import Testing

@testable import SQLite

@Suite("SQLite")
struct SQLiteTests {
    let folder = TemporaryFolder()

    func open(_ name: String = "a.db") throws -> Database {
        let database = try Database(path: folder.path(name), mode: .create)
        try database.useWriteAheadLog(.full)
        return database
    }

    @Test("a bound value comes back as it was: NUL bytes, empty and null told apart")
    func values() throws {
        let database = try open()
        try database.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, value)")
        let values: [SQLiteValue] = [
            .null, .integer(Int64.min), .real(0.1), .text("a\u{0}b é 🙂"), .text(""), .blob([0, 1, 0]), .blob([UInt8]()),
        ]
        for value in values { try database.execute("INSERT INTO t(value) VALUES (?)", [value]) }
        var read: [String] = []
        try database.forEachRow("SELECT typeof(value), value FROM t ORDER BY id") { row in
            read.append("\(row.text(0)!) \(row.text(1).map { Array($0.utf8).description } ?? "nil")")
        }
        #expect(
            read == [
                "null nil", "integer \(Array("-9223372036854775808".utf8))", "real \(Array("0.1".utf8))",
                "text \(Array("a\u{0}b é 🙂".utf8))", "text []", "blob [0, 1, 0]", "blob []",
            ])
    }

    @Test("a transaction whose body throws leaves nothing behind")
    func rollBack() throws {
        struct Refusal: Error {}
        let database = try open()
        try database.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
        #expect(throws: Refusal.self) {
            try database.withTransaction {
                try database.execute("INSERT INTO t VALUES (1)")
                throw Refusal()
            }
        }
        #expect(try database.integer("SELECT count(*) FROM t") == 0)
        try database.withTransaction { try database.execute("INSERT INTO t VALUES (2)") }
        #expect(try database.integer("SELECT max(id) FROM t") == 2)
    }

    @Test("an error tells its kind, its operation and SQLite's words, and no bound value")
    func errors() throws {
        let database = try open()
        try database.execute("CREATE TABLE t (id TEXT PRIMARY KEY)")
        try database.execute("INSERT INTO t VALUES (?)", [.text("Jane Doe")])
        let error = #expect(throws: SQLiteError.self) {
            try database.execute("INSERT INTO t VALUES (?)", [.text("Jane Doe")])
        }
        #expect(error?.code == .constraint)
        #expect(error?.message == "UNIQUE constraint failed: t.id")
        #expect(error?.description.contains("Jane") == false)
    }

    @Test("a full file is told as full, and works again once there is room")
    func full() throws {
        let database = try open()
        try database.execute("CREATE TABLE t (value)")
        try database.execute("PRAGMA max_page_count = 10")
        let error = #expect(throws: SQLiteError.self) {
            try database.withTransaction { try database.execute("INSERT INTO t VALUES (zeroblob(100000))") }
        }
        #expect(error?.code == .full)
        #expect(!database.isInTransaction)
        try database.execute("PRAGMA max_page_count = 1000")
        try database.withTransaction { try database.execute("INSERT INTO t VALUES (zeroblob(100000))") }
    }

    @Test("migrations run once, in order, and a newer file is refused with what to do")
    func migrations() throws {
        let first = [Migration("CREATE TABLE t (a)"), Migration("INSERT INTO t VALUES (1)")]
        do {
            let database = try open()
            try database.migrate(first)
            try database.migrate(first)
            #expect(try database.integer("SELECT count(*) FROM t") == 1)
        }
        do {
            let database = try open()
            try database.migrate(first + [Migration("ALTER TABLE t ADD COLUMN b DEFAULT 7")])
            #expect(try database.integer("SELECT b FROM t") == 7)
            #expect(try database.integer("PRAGMA user_version") == 3)
        }
        let database = try open()
        let error = #expect(throws: SQLiteError.self) { try database.migrate(first) }
        #expect(error?.code == .newerSchema)
        #expect(error?.message.contains("schema version 3 and this program knows up to 2") == true)
    }

    @Test("a failed migration leaves the version it began with")
    func failedMigration() throws {
        let database = try open()
        #expect(throws: SQLiteError.self) {
            try database.migrate([Migration("CREATE TABLE t (a)"), Migration("CREATE TABLE u (a); NONSENSE")])
        }
        #expect(try database.integer("PRAGMA user_version") == 1)
        #expect(try database.integer("SELECT count(*) FROM sqlite_master WHERE name = 'u'") == 0)
    }

    @Test("files and write-ahead log are for their owner only")
    func modes() throws {
        _ = FileManager.default.createFile(
            atPath: folder.path("loose.db"), contents: nil, attributes: [.posixPermissions: 0o644])
        for name in ["a.db", "loose.db"] {
            let database = try open(name)
            try database.execute("CREATE TABLE t (a)")
            for suffix in ["", "-wal", "-shm"] {
                let attributes = try FileManager.default.attributesOfItem(atPath: folder.path(name) + suffix)
                #expect(attributes[.posixPermissions] as? Int == 0o600)
            }
        }
    }

    @Test("a read-only connection reads what a killed writer left in its write-ahead log, and leaves it there")
    func readOnly() throws {
        let database = try open()
        try database.execute("CREATE TABLE t (a); INSERT INTO t VALUES (5)")
        for suffix in ["", "-wal"] {
            try FileManager.default.copyItem(
                atPath: folder.path("a.db") + suffix, toPath: folder.path("copy.db") + suffix)
        }
        let size = try FileManager.default.attributesOfItem(atPath: folder.path("copy.db-wal"))[.size] as? Int
        do {
            let copy = try Database(path: folder.path("copy.db"), mode: .readOnly)
            #expect(try copy.integer("SELECT a FROM t") == 5)
            #expect(throws: SQLiteError.self) { try copy.execute("INSERT INTO t VALUES (6)") }
        }
        let after = try FileManager.default.attributesOfItem(atPath: folder.path("copy.db-wal"))[.size] as? Int
        #expect(size == after)
        #expect(size! > 0)
    }

    @Test("a write-ahead log that is rewritten is the same, and none is made where there is none")
    func rewrite() throws {
        try Database.rewriteWriteAheadLog(of: folder.path("a.db"))
        #expect(!FileManager.default.fileExists(atPath: folder.path("a.db-wal")))
        let database = try open()
        try database.execute("PRAGMA synchronous = OFF; CREATE TABLE t (n INTEGER)")
        for number in 0..<400 { try database.execute("INSERT INTO t VALUES (\(number))") }
        let before = try Data(contentsOf: URL(filePath: folder.path("a.db-wal")))
        #expect(before.count > 1 << 20)
        try Database.rewriteWriteAheadLog(of: folder.path("a.db"))
        #expect(try Data(contentsOf: URL(filePath: folder.path("a.db-wal"))) == before)
        #expect(try database.integer("SELECT count(*) FROM t") == 400)
    }

    @Test("a checkpoint reports its frames, and truncating leaves an empty log")
    func checkpoint() throws {
        let database = try open()
        try database.execute("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
        let passive = try database.checkpoint(.passive)
        #expect(passive.frames > 0)
        #expect(passive.frames == passive.copied)
        try database.checkpoint(.truncate)
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.path("a.db-wal"))
        #expect(attributes[.size] as? Int == 0)
    }
}

/// A folder that goes with its owner.
final class TemporaryFolder: Sendable {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("gatehouse-\(UUID().uuidString)")

    init() {
        // A test without its folder fails at its first file.
        try? FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    func path(_ name: String) -> String { url.appendingPathComponent(name).path }
}
