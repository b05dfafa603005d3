import EventLog
import Events
import Foundation
import Kafka
import Logging
import Synchronization
import TestSupport

@testable import KafkaLog

/// Topics that are there, unless a test says otherwise.
final class ScriptedTopics: TopicReadiness {
    let areThere = Atomic(true)

    func ensure(_ type: CanonicalType) throws(KafkaFailure) {
        guard areThere.load(ordering: .relaxed) else {
            throw KafkaFailure(code: "topic_missing", message: "there is no such topic")
        }
    }
}

/// Appenders of one spool, with what they answer.
final class AppenderWorkbench: Sendable {
    static let type = CanonicalType.visitorSignin
    let options: KafkaLogOptions
    let topics: any TopicReadiness
    let lines = Mutex<[LogLine]>([])
    private let folder = TemporaryDirectory()
    private let answers = Mutex<[Int: Result<[AppendOutcome], LogFailure>]>([:])
    private let numbers = Mutex<[Int]>([])
    private let places = Mutex<[RecordPlace]>([])

    init(
        _ brokers: [String], topics: (any TopicReadiness)? = nil, limit: Duration = .seconds(60),
        _ change: (inout KafkaLogOptions) -> Void = { _ in }
    ) {
        var options = KafkaLogOptions(
            kafka: KafkaConfiguration(brokers: brokers, properties: ["reconnect.backoff.max.ms": "200"]),
            prefix: "test", partitions: 3, acknowledgementLimit: limit, spoolFolder: folder.file("spool"),
            maximumSpoolBytes: 64 << 20)
        change(&options)
        self.options = options
        self.topics = topics ?? ScriptedTopics()
    }

    func open() throws -> Appender {
        let appender = try Appender(
            options, layout: options.layout, topics: topics,
            logger: Logger { [self] line in lines.withLock { $0.append(line) } })
        appender.onAcknowledged { [self] new in places.withLock { $0 += new } }
        return appender
    }

    static func record(_ number: Int, key: String = "4567/1", bytes: Int = 0) -> NewRecord {
        NewRecord(
            id: EventID(high: 3, low: UInt64(number)), type: type.rawValue, partitionKey: Array(key.utf8),
            timeMs: 1_700_000_000_000,
            receivedAtMs: 1_700_000_000_000, source: "london",
            payload: Array("{\"number\":\(number),\"fill\":\"\(String(repeating: "x", count: bytes))\"}".utf8))
    }

    /// Of the event whose payload this is.
    func number(in value: String) -> Int {
        let digits = value.split(separator: ":").dropFirst().first?.prefix { $0.isNumber }
        return digits.flatMap { Int($0) } ?? -1
    }

    /// Appends one event; its answer is known by its number.
    func append(_ number: Int, to appender: Appender, key: String = "4567/1", bytes: Int = 0) {
        append(AppendBatch(records: [Self.record(number, key: key, bytes: bytes)]), as: number, to: appender)
    }

    func append(_ batch: AppendBatch, as number: Int, to appender: Appender) {
        appender.append(batch) { [self] result in
            answers.withLock { $0[number] = result }
            numbers.withLock { $0.append(number) }
        }
    }

    func answer(_ number: Int) async -> Result<[AppendOutcome], LogFailure>? {
        _ = await poll(deadline: .seconds(60)) { answers.withLock { $0[number] != nil } }
        return answers.withLock { $0[number] }
    }

    /// Appends one event after the other until one is taken.
    func appendUntilTaken(from first: Int, to appender: Appender) async -> Bool {
        for number in first..<first + 500 {
            append(number, to: appender)
            if case .success = await answer(number) { return true }
            try? await Task.sleep(for: .milliseconds(20))
        }
        return false
    }

    func failure(_ number: Int) async -> LogFailure? {
        if case .failure(let failure) = await answer(number) { failure } else { nil }
    }

    /// Numbers of what was answered, in that order.
    var order: [Int] { numbers.withLock { $0 } }
    var acknowledged: [RecordPlace] { places.withLock { $0 } }
    var events: [String] { lines.withLock { $0.map(\.event) } }
    var topic: String { options.layout.topic(Self.type) }
}

extension Appender {
    /// Waits until all that was spooled is in Kafka.
    func drained() async -> Bool { await poll(deadline: .seconds(90)) { spooled == 0 } }
}
