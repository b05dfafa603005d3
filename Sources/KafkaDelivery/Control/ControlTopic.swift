package import Kafka
package import KafkaLog
package import Logging
internal import Synchronization
internal import Threads

/// A record of the control topic.
package struct ControlEntry: Sendable, Hashable {
    package var key: ControlKey
    /// JSON; nil: what the key named is gone.
    package var value: [UInt8]?
    /// Of the record: later ones have greater offsets.
    package var offset: Int64
    /// The wall clock of who wrote it, milliseconds.
    package var timestampMs: Int64

    package init(key: ControlKey, value: [UInt8]?, offset: Int64, timestampMs: Int64) {
        self.key = key
        self.value = value
        self.offset = offset
        self.timestampMs = timestampMs
    }

    /// Nil when there is no value, or it cannot be read.
    package func record<Record: ControlRecord>(_ type: Record.Type, _ decoder: StateDecoder) -> Record? {
        value.flatMap { try? Record($0, decoder) }
    }
}

/// The one topic by which the instances tell each other what is not about single events: read whole at the start, then
/// followed by a thread of its own.
package final class ControlTopic: Sendable {
    private struct State {
        var values: [ControlKey: ControlEntry] = [:]
        /// The offset of the next record to be read.
        var next: Int64 = 0
        var callbacks: [@Sendable (ControlEntry) -> Void] = []
        var isClosed = false
        var isFollowing = false
        /// Why the last read failed.
        var failure: KafkaFailure?
    }

    private let kafka: KafkaConfiguration
    private let partition: TopicPartition
    private let layout: LogLayout
    private let admin: KafkaAdmin
    /// Nil: nothing is written.
    private let producer: KafkaProducer?
    private let logger: Logger
    private let state = Mutex(State())
    private let changed = Condition()
    private let thread = Mutex<Thread?>(nil)

    /// Memory for records that were fetched and not taken yet, in bytes.
    private static let buffer = 2 << 20

    package init(_ options: KafkaLogOptions, admin: KafkaAdmin, producer: KafkaProducer?, logger: Logger) {
        kafka = options.kafka
        layout = options.layout
        partition = TopicPartition(topic: StateTopics(prefix: options.prefix).cursors, partition: 0)
        self.admin = admin
        self.producer = producer
        self.logger = logger
    }

    deinit { close() }

    /// Reads what there is, and follows the topic from then on. Blocks until all of it was read.
    package func open(within limit: Duration = .seconds(30)) throws(KafkaFailure) {
        let ends = try end()
        let reader = try KafkaReader(kafka, maximumBufferedBytes: Self.buffer)
        try reader.assign([partition: ends.low])
        let isFirst = state.withLock { state in
            guard !state.isFollowing else { return false }
            state.isFollowing = true
            state.next = ends.low
            return true
        }
        guard isFirst else { return reader.close() }
        do {
            let thread = try Thread(name: "kafka-control") { [weak self] in
                defer { reader.close() }
                while let self, self.follow(reader) {}
            }
            self.thread.withLock { $0 = thread }
        } catch {
            reader.close()
            throw KafkaFailure(code: "resources", message: "\(error)")
        }
        try wait(for: ends.high, within: limit)
    }

    /// Waits until everything that was in the topic when this was called has been read.
    package func refresh(within limit: Duration) throws(KafkaFailure) {
        try wait(for: try end().high, within: limit)
    }

    private func end() throws(KafkaFailure) -> (low: Int64, high: Int64) {
        guard let ends = try admin.ends(of: [partition])[partition] else {
            throw KafkaFailure(code: "unknown_topic_or_part", message: "the topic \(partition.topic) is not there")
        }
        return ends
    }

    private func wait(for end: Int64, within limit: Duration) throws(KafkaFailure) {
        let isThere = changed.wait(within: limit) { state.withLock { $0.next >= end || $0.isClosed } }
        guard !isThere else { return }
        throw state.withLock { $0.failure }
            ?? KafkaFailure(code: "timed_out", message: "the topic \(partition.topic) could not be read in time")
    }

    // MARK: looking

    package func value(_ key: ControlKey) -> ControlEntry? { state.withLock { $0.values[key] } }

    /// The current entries, in the order they were written.
    package func entries(where isWanted: (ControlKey) -> Bool) -> [ControlEntry] {
        state.withLock { $0.values.values.filter { isWanted($0.key) } }.sorted { $0.offset < $1.offset }
    }

    /// Calls back for every record from now on, own ones too, in order, on the topic's thread; it must not block.
    package func onRecord(_ callback: @escaping @Sendable (ControlEntry) -> Void) {
        state.withLock { $0.callbacks.append(callback) }
    }

    // MARK: writing

    /// Writes a value, or with nil removes the key.
    /// - Parameter completion: with the record's offset, once it is durable. On a thread of the client's.
    package func write(
        _ key: ControlKey, _ value: [UInt8]?,
        completion: @escaping @Sendable (Result<Int64, KafkaFailure>) -> Void = { _ in }
    ) {
        guard let producer else {
            return completion(.failure(KafkaFailure(code: "read_only", message: "this client only reads")))
        }
        var record = KafkaRecord(
            topic: partition.topic, key: Array("\(key)".utf8), headers: [], value: value)
        record.partition = partition.partition
        producer.send(record) { result in completion(result.map(\.offset)) }
    }

    package func write(
        _ key: ControlKey, _ record: some ControlRecord,
        completion: @escaping @Sendable (Result<Int64, KafkaFailure>) -> Void = { _ in }
    ) {
        write(key, record.encoded(layout), completion: completion)
    }

    /// Writes and waits until the record is durable.
    /// - Returns: its offset.
    package func write(_ key: ControlKey, _ value: [UInt8]?, within limit: Duration) throws(KafkaFailure) -> Int64 {
        final class Answer: Sendable {
            let result = Mutex<Result<Int64, KafkaFailure>?>(nil)
        }
        let answer = Answer()
        let answered = Condition()
        write(key, value) { result in
            answer.result.withLock { $0 = result }
            answered.broadcast()
        }
        _ = answered.wait(within: limit) { answer.result.withLock { $0 != nil } }
        guard let result = answer.result.withLock({ $0 }) else {
            throw KafkaFailure(code: "msg_timed_out", message: "Kafka has not acknowledged the record in time")
        }
        return try result.get()
    }

    // MARK: following

    /// - Returns: whether to go on.
    private func follow(_ reader: KafkaReader) -> Bool {
        if state.withLock({ $0.isClosed }) { return false }
        switch reader.poll(within: .milliseconds(200)) {
        case .message(let message): take(message)
        case .end(_, let offset): state.withLock { $0.next = max($0.next, offset) }
        case .failure(_, let failure): fail(failure, reader)
        case .nothing: return true
        }
        changed.broadcast()
        return true
    }

    private func take(_ message: KafkaMessage) {
        let key = message.key.flatMap { ControlKey(String(decoding: $0, as: UTF8.self)) }
        let callbacks = state.withLock { state in
            state.next = message.offset + 1
            state.failure = nil
            return state.callbacks
        }
        // A key of a kind that a later version has is nobody's business here.
        guard let key else { return }
        let entry = ControlEntry(
            key: key, value: message.value, offset: message.offset, timestampMs: message.timestampMs ?? 0)
        state.withLock { $0.values[key] = entry.value == nil ? nil : entry }
        for callback in callbacks { callback(entry) }
    }

    /// The client tries again by itself, except where its place in the topic is gone.
    private func fail(_ failure: KafkaFailure, _ reader: KafkaReader) {
        let isNew = state.withLock { state in
            defer { state.failure = failure }
            return state.failure?.code != failure.code
        }
        if isNew {
            logger.warning(
                "kafka_control_unreadable", "The topic \(partition.topic) cannot be read: \(failure.message)",
                ["reason": .string(failure.code)])
        }
        guard failure.code == "offset_out_of_range", let ends = try? end() else { return }
        try? reader.assign([partition: ends.low])
    }

    package func close() {
        state.withLock { $0.isClosed = true }
        changed.broadcast()
        thread.withLock { $0.take() }?.join()
    }
}
