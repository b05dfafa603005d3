import Events
import Foundation
import SQLite
import Synchronization
import Testing

@testable import EventLog

/// A folder that goes with its owner.
final class TemporaryFolder: Sendable {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("gatehouse-\(UUID().uuidString)").path

    init() {
        // A test without its folder fails at its first file.
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}

/// A clock that stands until it is told to go on.
final class ManualClock: Sendable {
    private let time = Mutex<Int64>(1_700_000_000_000)

    var now: Int64 { time.withLock { $0 } }

    func advance(_ duration: Duration) {
        time.withLock { $0 += duration.components.seconds * 1000 }
    }
}

/// Holds a value that callbacks change.
final class Box<Value: Sendable>: Sendable {
    private let content: Mutex<Value>

    init(_ value: Value) {
        content = Mutex(value)
    }

    var value: Value { content.withLock { $0 } }

    func set(_ value: Value) { content.withLock { $0 = value } }
    func update<Result: Sendable>(_ change: (inout Value) -> Result) -> Result { content.withLock { change(&$0) } }
}

extension EventID {
    /// Different for every number, and spread as hashes are.
    init(number: Int) {
        func mixed(_ value: UInt64) -> UInt64 {
            var z = value &+ 0x9E37_79B9_7F4A_7C15
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
        self.init(high: mixed(UInt64(number) &* 2), low: mixed(UInt64(number) &* 2 &+ 1))
    }
}

func record(
    _ number: Int, type: String = "visitor.signin", key: String? = nil, receivedAtMs: Int64 = 1_700_000_000_000,
    source: String = "london", visitor: String? = nil, email: String? = nil, verifiedBy: String? = nil,
    payload: String? = nil
) -> NewRecord {
    NewRecord(
        id: EventID(number: number), type: type, partitionKey: Array((key ?? "key \(number % 7)").utf8),
        timeMs: receivedAtMs, receivedAtMs: receivedAtMs, source: source, visitorID: visitor.map { Array($0.utf8) },
        email: email.map { Array($0.utf8) }, verifiedBy: verifiedBy,
        payload: Array((payload ?? "{\"number\":\(number)}").utf8))
}

func quarantined(_ index: Int, key: String, bytes: String? = "{bad") -> QuarantinedElement {
    QuarantinedElement(
        source: "guests", index: index, receivedAtMs: 1_700_000_000_000, reason: "syntax at byte 1",
        bytes: bytes.map { Array($0.utf8) }, size: 4, sha256: "ab", key: key)
}

extension EventLog {
    func append(_ records: [NewRecord], quarantined: [QuarantinedElement] = []) async throws -> [AppendOutcome] {
        let result = await withCheckedContinuation { continuation in
            append(AppendBatch(records: records, quarantined: quarantined)) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    /// Everything from a position on, read in steps.
    func readAll(from position: LogPosition, step: Int = 100) throws -> [LogRecord] {
        var position = position
        var records: [LogRecord] = []
        let end = head
        let deadline = ContinuousClock.now + .seconds(30)
        while !position.isAtEnd(of: end) {
            let batch = try read(from: position, maximumRecords: step, maximumBytes: 1 << 20)
            records += batch.records
            // A log may have to wait for what it gives next.
            guard batch.next != position || ContinuousClock.now < deadline else { return records }
            position = batch.next
        }
        return records
    }
}

/// Looks again until it holds; false after thirty seconds.
func eventually(_ condition: () throws -> Bool) async throws -> Bool {
    let deadline = ContinuousClock.now + .seconds(30)
    while ContinuousClock.now < deadline {
        if try condition() { return true }
        try await Task.sleep(for: .milliseconds(5))
    }
    return try condition()
}

func isDuplicate(_ outcome: AppendOutcome) -> Bool { outcome == .duplicate }

extension TemporaryFolder {
    /// What a killed process would leave of a log that is open here.
    func crashImage() throws -> TemporaryFolder {
        let image = TemporaryFolder()
        for name in ["events.db", "events.db-wal", "head"] where FileManager.default.fileExists(atPath: file(name)) {
            try FileManager.default.copyItem(atPath: file(name), toPath: image.file(name))
        }
        return image
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func size(_ name: String) throws -> Int {
        try FileManager.default.attributesOfItem(atPath: file(name))[.size] as? Int ?? 0
    }

    /// Turns one bit around.
    func flip(_ name: String, byte: Int, bit: UInt8 = 3) throws {
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: file(name)))
        try handle.seek(toOffset: UInt64(byte))
        let old = try #require(try handle.read(upToCount: 1)?.first)
        try handle.seek(toOffset: UInt64(byte))
        try handle.write(contentsOf: Data([old ^ 1 << bit]))
        try handle.close()
    }

    func truncate(_ name: String, to size: Int) throws {
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: file(name)))
        try handle.truncate(atOffset: UInt64(size))
        try handle.close()
    }

    func contains(_ name: String, _ text: String) throws -> Bool {
        guard FileManager.default.fileExists(atPath: file(name)) else { return false }
        return try Data(contentsOf: URL(fileURLWithPath: file(name))).range(of: Data(text.utf8)) != nil
    }
}

/// Changes a closed log's file behind its back.
func runSQL(_ sql: String, _ folder: TemporaryFolder) throws {
    let database = try Database(path: folder.file("events.db"), mode: .readWrite)
    try database.execute(sql)
}
