import EventLog
import SQLite
import SimulatedDisk
import Testing

@Suite("The simulated disk")
struct SimulatedDiskTests {
    private let disk: SimulatedDisk
    private let databases: SimulatedDatabases

    init() {
        disk = SimulatedDisk(random: Randomness(seed: 7))
        databases = SimulatedDatabases(disk)
    }

    private func open(_ synchronous: Database.Synchronous = .full) throws -> Database {
        let database = try Database(path: "/a.db", mode: .create, vfs: databases.name)
        try database.useWriteAheadLog(synchronous)
        try database.execute("CREATE TABLE IF NOT EXISTS t (n INTEGER)")
        return database
    }

    private func count() throws -> Int64? {
        try Database(path: "/a.db", mode: .readWrite, vfs: databases.name).integer("SELECT count(*) FROM t")
    }

    @Test("what was committed with a sync is there after a power cut, whatever else is not", arguments: 0..<40)
    func synced(seed: Int) throws {
        let disk = SimulatedDisk(random: Randomness(seed: UInt64(seed)))
        let databases = SimulatedDatabases(disk)
        var database: Database? = try Database(path: "/a.db", mode: .create, vfs: databases.name)
        try database?.useWriteAheadLog(.full)
        try database?.execute("CREATE TABLE t (n INTEGER)")
        for number in 0..<20 { try database?.execute("INSERT INTO t VALUES (\(number))") }
        disk.judge = { operation, _ in operation == .synchronize ? .crashBefore : .proceed }
        #expect(throws: SQLiteError.self) { try database?.execute("INSERT INTO t VALUES (20)") }
        database = nil
        disk.judge = { _, _ in .proceed }
        disk.restart(losingPower: true)
        let reopened = try Database(path: "/a.db", mode: .readWrite, vfs: databases.name)
        let found = try #require(try reopened.integer("SELECT count(*) FROM t"))
        #expect(found == 20 || found == 21)
        #expect(try reopened.text("PRAGMA integrity_check") == "ok")
    }

    @Test("what was not synced survives a killed process, and is lost by some power cut")
    func unsynced() throws {
        var lost = 0
        for seed in 0..<40 as Range<UInt64> {
            let disk = SimulatedDisk(random: Randomness(seed: seed))
            let databases = SimulatedDatabases(disk)
            var database: Database? = try Database(path: "/a.db", mode: .create, vfs: databases.name)
            try database?.useWriteAheadLog(.full)
            try database?.execute("CREATE TABLE t (n INTEGER); PRAGMA synchronous = NORMAL;")
            try database?.execute("INSERT INTO t VALUES (1)")
            disk.crash()
            database = nil
            disk.restart(losingPower: false)
            var again: Database? = try Database(path: "/a.db", mode: .readWrite, vfs: databases.name)
            #expect(try again?.integer("SELECT count(*) FROM t") == 1)
            disk.crash()
            again = nil
            disk.restart(losingPower: true)
            let last = try Database(path: "/a.db", mode: .readWrite, vfs: databases.name)
            if try last.integer("SELECT count(*) FROM t") == 0 { lost += 1 }
        }
        #expect(lost > 0)
        #expect(lost < 40)
    }

    @Test("connections exclude each other, and see what the other has committed")
    func locks() throws {
        let one = try open()
        let other = try Database(path: "/a.db", mode: .readWrite, busyTimeoutMs: 10, vfs: databases.name)
        try one.begin()
        try one.execute("INSERT INTO t VALUES (1)")
        let error = #expect(throws: SQLiteError.self) { try other.begin() }
        #expect(error?.code == .busy)
        #expect(try other.integer("SELECT count(*) FROM t") == 0)
        try one.commit()
        #expect(try other.integer("SELECT count(*) FROM t") == 1)
        try other.withTransaction { try other.execute("INSERT INTO t VALUES (2)") }
        #expect(try one.integer("SELECT count(*) FROM t") == 2)
    }

    @Test("failing calls come to SQLite as its own errors")
    func failures() throws {
        let database = try open()
        disk.judge = { operation, _ in operation == .write ? .full : .proceed }
        #expect(#expect(throws: SQLiteError.self) { try database.execute("INSERT INTO t VALUES (1)") }?.code == .full)
        disk.judge = { operation, _ in operation == .synchronize ? .fail : .proceed }
        let error = #expect(throws: SQLiteError.self) { try database.execute("INSERT INTO t VALUES (1)") }
        #expect(error?.code == .inputOutput)
        #expect(error?.isSyncFailure == true)
    }

    @Test("after a crash nothing that was open changes anything")
    func deadConnections() throws {
        var database: Database? = try open()
        try database?.execute("INSERT INTO t VALUES (1)")
        disk.crash()
        disk.restart(losingPower: false)
        #expect(throws: SQLiteError.self) { try database?.execute("INSERT INTO t VALUES (2)") }
        database = nil
        #expect(try count() == 1)
    }

    @Test("the instance lock is held by one at a time, and goes with the process")
    func instanceLock() throws {
        let files = SimulatedFiles(databases)
        let first = try InstanceLock(folder: "/data", files: files)
        #expect(throws: LogOpenError.self) { try InstanceLock(folder: "/data", files: files) }
        disk.restart(losingPower: false)
        _ = try InstanceLock(folder: "/data", files: files)
        withExtendedLifetime(first) {}
    }
}
