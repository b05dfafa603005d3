internal import CRdKafka
internal import Dispatch
internal import Glibc
internal import Synchronization

/// One librdkafka client that publishes, with its thread.
final class ProducingClient: Sendable {
    struct Settings: Sendable {
        var configuration: KafkaConfiguration
        var timeoutMilliseconds: Int32
        var lingerMilliseconds: Int
        var onStatistics: (@Sendable ([UInt8]) -> Void)?
    }

    private enum Life {
        case running
        /// Nothing more is sent; what is under way has some time.
        case closing
        /// The thread ends once nothing is under way.
        case ended
    }

    /// What waits for an acknowledgement, handed through librdkafka.
    private final class Waiting: Sendable {
        let completion: @Sendable (Result<KafkaPlace, KafkaFailure>) -> Void

        init(_ completion: @escaping @Sendable (Result<KafkaPlace, KafkaFailure>) -> Void) {
            self.completion = completion
        }
    }

    private let client: Client
    /// Nothing is sent once it is over.
    private let life = Mutex(Life.running)
    /// The thread has ended.
    private let ended = DispatchSemaphore(value: 0)
    /// The thread, once it runs.
    private let runner = Atomic<UInt>(0)

    /// How long the thread waits for an acknowledgement before it looks whether it should end.
    private static let pollMilliseconds: Int32 = 100
    /// What was sent to a broker in the moment of a purge is not found by it.
    private static let purgeInterval = Duration.seconds(1)

    static func start(_ settings: Settings) throws(KafkaFailure) -> ProducingClient {
        let client = try ProducingClient(settings)
        try KafkaFailure.startThread("kafka-producer") { client.run() }
        return client
    }

    private init(_ settings: Settings) throws(KafkaFailure) {
        var events = RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR
        if settings.onStatistics != nil { events |= RD_KAFKA_EVENT_STATS }
        client = try Client(
            .producer, settings.configuration,
            defaults: [
                ("enable.idempotence", "true"), ("acks", "all"), ("partitioner", "murmur2_random"),
                ("message.timeout.ms", "\(settings.timeoutMilliseconds)"),
                ("linger.ms", "\(settings.lingerMilliseconds)"),
            ],
            events: events, context: ClientContext(settings.configuration, onStatistics: settings.onStatistics),
            hasStatistics: settings.onStatistics != nil)
    }

    var isRunning: Bool { life.withLock { $0 == .running } }

    var queued: Int { Int(unsafe rd_kafka_outq_len(client.handle)) }

    func send(
        _ record: KafkaRecord, _ completion: @escaping @Sendable (Result<KafkaPlace, KafkaFailure>) -> Void
    ) throws(KafkaFailure) {
        let error = life.withLock { life -> rd_kafka_resp_err_t? in
            life == .running ? produce(record, completion) : nil
        }
        guard let error else { throw .closed }
        if error != RD_KAFKA_RESP_ERR_NO_ERROR { throw KafkaFailure(error) }
    }

    private func produce(
        _ record: KafkaRecord, _ completion: @escaping @Sendable (Result<KafkaPlace, KafkaFailure>) -> Void
    ) -> rd_kafka_resp_err_t {
        let headers = unsafe rd_kafka_headers_new(record.headers.count)
        for header in record.headers {
            _ = unsafe header.value.withUnsafeBytes { value in
                unsafe rd_kafka_header_add(
                    headers, header.name, -1, value.baseAddress, value.count)
            }
        }
        let waiting = unsafe Unmanaged.passRetained(Waiting(completion))
        let error = unsafe Self.withBytes(of: record.value) { value in
            unsafe Self.withBytes(of: record.key) { key in
                unsafe gatehouse_kafka_produce(
                    client.handle, record.topic, record.partition ?? RD_KAFKA_PARTITION_UA, record.timestampMs ?? 0,
                    key.baseAddress, key.count, value.baseAddress, value.count, headers, waiting.toOpaque())
            }
        }
        if error != RD_KAFKA_RESP_ERR_NO_ERROR {
            // Nobody will tell of it.
            if let headers = unsafe headers { unsafe rd_kafka_headers_destroy(headers) }
            unsafe waiting.release()
        }
        return error
    }

    /// Lends bytes to C, with no address where there are none (nil) and with one where they are empty.
    private static func withBytes<Result>(
        of bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        guard let bytes else { return unsafe body(UnsafeRawBufferPointer(start: nil, count: 0)) }
        guard bytes.isEmpty else { return unsafe bytes.withUnsafeBytes { unsafe body($0) } }
        return unsafe [UInt8(0)].withUnsafeBytes { unsafe body(UnsafeRawBufferPointer(rebasing: $0.prefix(0))) }
    }

    func flush(within limit: Duration) -> Bool {
        unsafe rd_kafka_flush(client.handle, limit.wholeMilliseconds) == RD_KAFKA_RESP_ERR_NO_ERROR
    }

    /// Returns when everything is told, except where it is called by what is told something: then the rest is told after it.
    func close(within limit: Duration) {
        let isFirst = life.withLock { life in
            guard life == .running else { return false }
            life = .closing
            return true
        }
        guard isFirst else { return }
        let isOwnThread = runner.load(ordering: .relaxed) == UInt(pthread_self())
        if !isOwnThread { _ = flush(within: limit) }
        life.withLock { $0 = .ended }
        // What is left fails now; its acknowledgements come as any.
        purge()
        if !isOwnThread { ended.wait() }
    }

    /// Otherwise librdkafka waits for the answer of every broker's thread, without a limit.
    private static let purging = RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING

    private func purge() {
        _ = unsafe rd_kafka_purge(client.handle, Self.purging)
    }

    // MARK: The thread

    private func run() {
        runner.store(UInt(pthread_self()), ordering: .relaxed)
        let queue = unsafe rd_kafka_queue_get_main(client.handle)
        var purgeAt: ContinuousClock.Instant?
        while isOpen || queued > 0 {
            if !isOpen, purgeAt ?? .now <= .now {
                purge()
                purgeAt = .now + Self.purgeInterval
            }
            guard let event = unsafe rd_kafka_queue_poll(queue, Self.pollMilliseconds) else { continue }
            switch unsafe rd_kafka_event_type(event) {
            case RD_KAFKA_EVENT_DR: unsafe acknowledge(event)
            case RD_KAFKA_EVENT_ERROR where unsafe rd_kafka_event_error_is_fatal(event) != 0: fail()
            case RD_KAFKA_EVENT_ERROR:
                unsafe client.context.note(rd_kafka_event_error(event), rd_kafka_event_error_string(event))
            case RD_KAFKA_EVENT_STATS:
                if let json = unsafe rd_kafka_event_stats(event) {
                    unsafe client.context.statistics(UnsafeRawBufferPointer(start: json, count: strlen(json)))
                }
            default: break
            }
            unsafe rd_kafka_event_destroy(event)
        }
        unsafe rd_kafka_queue_destroy(queue)
        ended.signal()
    }

    private var isOpen: Bool { life.withLock { $0 != .ended } }

    private func acknowledge(_ event: OpaquePointer) {
        while let message = unsafe rd_kafka_event_message_next(event) {
            guard let context = unsafe message.pointee._private else { continue }
            let waiting = unsafe Unmanaged<Waiting>.fromOpaque(context).takeRetainedValue()
            let error = unsafe message.pointee.err
            if error == RD_KAFKA_RESP_ERR_NO_ERROR {
                client.context.succeeded()
                waiting.completion(
                    .success(unsafe KafkaPlace(partition: message.pointee.partition, offset: message.pointee.offset)))
            } else {
                let mayBeKept = unsafe rd_kafka_message_status(message) != RD_KAFKA_MSG_STATUS_NOT_PERSISTED
                waiting.completion(.failure(client.context.failure(error, mayBeKept: mayBeKept)))
            }
        }
    }

    /// The client is of no use any more: what is under way fails, and the thread ends.
    private func fail() {
        // One that is being closed is used by who closes it until it is.
        life.withLock { if $0 == .running { $0 = .ended } }
        purge()
    }
}
