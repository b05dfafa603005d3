import EventLog
import Events
import Kafka
import KafkaLog
import Logging
import Synchronization
import TestSupport
import Testing

/// One broker for the tests of this target that do nothing to it.
enum SharedKafka {
    private static let count = Mutex(0)

    static var configuration: KafkaConfiguration {
        get throws { try KafkaConfiguration(brokers: KafkaCluster.common().servers, clientID: "test") }
    }

    /// A prefix that no other test has.
    static func prefix() -> String {
        count.withLock { count in
            count += 1
            return "log\(count)"
        }
    }

    static func options(
        prefix: String, types: Set<CanonicalType> = [.visitorSignin], folder: TemporaryDirectory
    ) throws -> KafkaLogOptions {
        try KafkaLogOptions(
            kafka: configuration, prefix: prefix, partitions: 3, acknowledgementLimit: .seconds(60), types: types,
            spoolFolder: folder.path)
    }
}

func event(
    _ number: Int, key: String? = nil, type: CanonicalType = .visitorSignin, receivedAtMs: Int64? = nil,
    payload: String? = nil
) -> NewRecord {
    let atMs = receivedAtMs ?? Timestamp.now().milliseconds
    return NewRecord(
        id: EventID(keySpace: "test", dedupeKey: Array("\(number)".utf8)), type: type.rawValue,
        partitionKey: Array((key ?? "key \(number % 11)").utf8), timeMs: atMs, receivedAtMs: atMs, source: "london",
        payload: Array((payload ?? "event \(number)").utf8))
}

extension EventLog {
    @discardableResult
    func append(_ records: [NewRecord]) async throws -> [AppendOutcome] {
        let result = await withCheckedContinuation { continuation in
            append(AppendBatch(records: records)) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    /// Everything between two positions; what there is by the deadline.
    func readAll(from start: LogPosition, to end: LogPosition? = nil, step: Int = 256) throws -> [LogRecord] {
        var position = start
        var records: [LogRecord] = []
        let end = end ?? head
        let deadline = ContinuousClock.now + .seconds(30)
        while !position.isAtEnd(of: end), ContinuousClock.now < deadline {
            let batch = try read(from: position, maximumRecords: step, maximumBytes: 1 << 20)
            records += batch.records
            position = batch.next
        }
        return records
    }
}

extension LogRecord {
    var text: String { String(decoding: payload, as: UTF8.self) }
}
