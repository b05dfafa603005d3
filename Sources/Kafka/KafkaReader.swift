internal import CRdKafka
internal import Glibc
internal import Synchronization

/// What a reader has to tell.
package enum KafkaReadEvent: Sendable {
    case message(KafkaMessage)
    /// Everything before this offset of the partition has been given.
    case end(TopicPartition, Int64)
    /// Of a partition: it is not read any further until it is assigned again. Of none: the client as a whole, which goes on
    /// trying.
    case failure(TopicPartition?, KafkaFailure)
    case nothing
}

/// Reads partitions that it is told, from offsets that it is told. It belongs to no group and commits nothing.
///
/// Any thread may call it, one after another: a call waits for the one before.
package final class KafkaReader: Sendable {
    private struct State {
        var client: Client?
        /// The topic of the last message: most have the same.
        var topic: String?
        /// Bytes given since the client was last woken.
        var given = 0
    }

    private let state: Mutex<State>
    /// A part of the buffer.
    private let wakingBytes: Int
    /// Called from librdkafka's threads, until the client is destroyed.
    private let wake = Wake()

    /// What a call of `onReadable` set. librdkafka has a pointer to it: it lives as long as the reader, which outlives the
    /// client.
    fileprivate final class Wake: Sendable {
        let callback = Mutex<(@Sendable () -> Void)?>(nil)
    }

    /// - Parameters:
    ///   - maximumBufferedBytes: fetched ahead of `poll`, at most, and about.
    ///   - onStatistics: given librdkafka's statistics (JSON) every five seconds, within `poll`.
    /// - Throws: `configuration`.
    package init(
        _ configuration: KafkaConfiguration, maximumBufferedBytes: Int,
        onStatistics: (@Sendable ([UInt8]) -> Void)? = nil
    ) throws(KafkaFailure) {
        let kilobytes = max(1, min(maximumBufferedBytes / 1024, 2_097_151))
        let largestMessage = configuration.properties["message.max.bytes"].flatMap { Int($0) } ?? 1_000_000
        let client = try Client(
            .consumer, configuration,
            defaults: [
                ("fetch.wait.max.ms", "100"), ("fetch.error.backoff.ms", "100"), ("queued.min.messages", "10000000"),
            ],
            settled: [
                // Without the name of a group librdkafka assigns nothing. Nothing is ever asked of or told to the group.
                ("group.id", "gatehouse.reader"), ("enable.auto.commit", "false"),
                ("enable.auto.offset.store", "false"),
                ("auto.offset.reset", "error"), ("enable.partition.eof", "true"), ("check.crcs", "true"),
                ("queued.max.messages.kbytes", "\(kilobytes)"),
                // A response is added to what is there already. librdkafka wants room for a whole message in it.
                ("fetch.max.bytes", "\(max(largestMessage, min(maximumBufferedBytes / 2, 52_428_800)))"),
            ],
            context: ClientContext(configuration, onStatistics: onStatistics),
            hasStatistics: onStatistics != nil)
        state = Mutex(State(client: client))
        wakingBytes = kilobytes * 1024 / 2
    }

    deinit {
        close()
    }

    /// Reads these partitions from these offsets (0 or more), in place of what was read. Messages of before are not given
    /// any more.
    package func assign(_ offsets: [TopicPartition: Int64]) throws(KafkaFailure) {
        try state.withLock { state throws(KafkaFailure) in
            guard let client = state.client else { throw .closed }
            let list = PartitionList(offsets)
            let error = unsafe rd_kafka_assign(client.handle, list.pointer)
            if error != RD_KAFKA_RESP_ERR_NO_ERROR { throw client.context.failure(error) }
            Self.settle(client)
        }
    }

    /// Waits until what was read before has stopped. librdkafka 2.0.2 stops it later, by two messages to its own main
    /// thread, and ends the process when a partition is to be stopped again before that
    /// (rd_kafka_assignment_partition_stopped: `rktp->rktp_started`). Questions to that thread wait behind them.
    private static func settle(_ client: Client) {
        for _ in 0..<3 {
            var list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
            guard unsafe rd_kafka_assignment(client.handle, &list) == RD_KAFKA_RESP_ERR_NO_ERROR else { return }
            if let list = unsafe list { unsafe rd_kafka_topic_partition_list_destroy(list) }
        }
    }

    /// The next thing there is to tell; waits for it.
    package func poll(within limit: Duration) -> KafkaReadEvent {
        state.withLock { state in
            guard let client = state.client else { return .failure(nil, .closed) }
            guard let message = unsafe rd_kafka_consumer_poll(client.handle, limit.wholeMilliseconds) else {
                return Self.trouble(of: client)
            }
            defer { unsafe rd_kafka_message_destroy(message) }
            let error = unsafe message.pointee.err
            guard error == RD_KAFKA_RESP_ERR_NO_ERROR else {
                return unsafe Self.event(for: error, message, client.context)
            }
            let read = unsafe KafkaMessage(message, lastTopic: state.topic)
            state.topic = read.topic
            state.given += unsafe message.pointee.len + message.pointee.key_len
            if state.given >= wakingBytes {
                state.given = 0
                Self.wake(client, read.topicPartition)
            }
            return .message(read)
        }
    }

    /// Has a callback called from any thread when `poll` may have something to tell. Must not block, and must not call the
    /// reader.
    package func onReadable(_ callback: @escaping @Sendable () -> Void) {
        wake.callback.withLock { $0 = callback }
        state.withLock { state in
            guard let client = state.client, let queue = unsafe rd_kafka_queue_get_consumer(client.handle) else {
                return
            }
            unsafe rd_kafka_queue_cb_event_enable(
                queue,
                { _, context in
                    guard let context = unsafe context else { return }
                    let wake = unsafe Unmanaged<Wake>.fromOpaque(context).takeUnretainedValue()
                    wake.callback.withLock { $0 }?()
                }, Unmanaged.passUnretained(wake).toOpaque())
            unsafe rd_kafka_queue_destroy(queue)
        }
    }

    /// Nothing is read any more.
    package func close() {
        let client = state.withLock { $0.client.take() }
        guard let client else { return }
        if let queue = unsafe rd_kafka_queue_get_consumer(client.handle) {
            unsafe rd_kafka_queue_cb_event_enable(queue, nil, nil)
            unsafe rd_kafka_queue_destroy(queue)
        }
        wake.callback.withLock { $0 = nil }
    }

    /// A client whose buffer is full sleeps up to a second before it looks whether there is room again. A request to the
    /// broker wakes it: this one asks for no more than two numbers.
    private static func wake(_ client: Client, _ place: TopicPartition) {
        var (low, high): (Int64, Int64) = (0, 0)
        _ = unsafe rd_kafka_query_watermark_offsets(
            client.handle, place.topic, place.partition, &low, &high, wakingMilliseconds)
    }

    private static let wakingMilliseconds: Int32 = 50

    private static func trouble(of client: Client) -> KafkaReadEvent {
        guard let untold = client.context.takeUntold(), !ofGroups.contains(untold.code) else { return .nothing }
        return .failure(nil, untold)
    }

    private static func event(
        for error: rd_kafka_resp_err_t, _ message: UnsafeMutablePointer<rd_kafka_message_t>, _ context: ClientContext
    ) -> KafkaReadEvent {
        var place: TopicPartition?
        if let topic = unsafe message.pointee.rkt, let name = unsafe rd_kafka_topic_name(topic) {
            place = unsafe TopicPartition(topic: String(cString: name), partition: message.pointee.partition)
        }
        switch (error, place) {
        case (RD_KAFKA_RESP_ERR__PARTITION_EOF, let place?):
            context.succeeded()
            return .end(place, unsafe message.pointee.offset)
        case (RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, _), (RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, _):
            return .failure(
                place,
                KafkaFailure(
                    code: KafkaFailure.offsetOutOfRange, message: "there is no record at the offset to be read next"))
        default:
            let failure = context.failure(error)
            return ofGroups.contains(failure.code) ? .nothing : .failure(place, failure)
        }
    }

    /// What is said of a group that is not there.
    private static let ofGroups: Set<String> = [
        "group_authorization_failed", "coordinator_not_available", "not_coordinator", "coordinator_load_in_progress",
        "wait_coord",
    ]
}

extension KafkaMessage {
    /// Copies what C holds.
    fileprivate init(_ message: UnsafeMutablePointer<rd_kafka_message_t>, lastTopic: String?) {
        let raw = unsafe message.pointee
        var type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let timestamp = unsafe rd_kafka_message_timestamp(message, &type)
        self.init(
            topic: unsafe Self.name(raw.rkt, lastTopic), partition: unsafe raw.partition, offset: unsafe raw.offset,
            timestampMs: type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? nil : timestamp,
            key: unsafe Self.bytes(raw.key, raw.key_len), value: unsafe Self.bytes(raw.payload, raw.len),
            headers: unsafe Self.headers(of: message))
    }

    private static func name(_ topic: OpaquePointer?, _ last: String?) -> String {
        guard let topic = unsafe topic, let name = unsafe rd_kafka_topic_name(topic) else { return "" }
        if let last, unsafe strcmp(last, name) == 0 { return last }
        return unsafe String(cString: name)
    }

    private static func bytes(_ start: UnsafeRawPointer?, _ count: Int) -> [UInt8]? {
        unsafe start.map { unsafe Array(UnsafeRawBufferPointer(start: $0, count: count)) }
    }

    private static func headers(of message: UnsafeMutablePointer<rd_kafka_message_t>) -> [KafkaRecord.Header] {
        var list: OpaquePointer?
        guard unsafe rd_kafka_message_headers(message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR else { return [] }
        var result: [KafkaRecord.Header] = []
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var count = 0
        while unsafe rd_kafka_header_get_all(list, result.count, &name, &value, &count) == RD_KAFKA_RESP_ERR_NO_ERROR,
            let found = unsafe name
        {
            result.append(
                KafkaRecord.Header(unsafe String(cString: found), unsafe bytes(value, count) ?? []))
        }
        return result
    }
}
