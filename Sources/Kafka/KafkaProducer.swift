internal import Addresses
internal import CRdKafka
internal import Dispatch
internal import Glibc
internal import Synchronization

/// Publishes records: idempotent, acknowledged by all in-sync replicas. One thread of its own takes the acknowledgements.
///
/// After an error that ends the client for good (librdkafka calls it fatal) everything under way fails, and the next record
/// goes through a new one.
package final class KafkaProducer: Sendable {
    private struct State {
        var client: ProducingClient?
        var isClosed = false
    }

    private let configuration: KafkaConfiguration
    private let timeoutMilliseconds: Int32
    private let state = Mutex(State())

    /// - Parameter timeout: for a record, from `send` to its acknowledgement.
    /// - Throws: `configuration` when librdkafka does not take it.
    package init(_ configuration: KafkaConfiguration, timeout: Duration) throws(KafkaFailure) {
        self.configuration = configuration
        timeoutMilliseconds = max(1, timeout.wholeMilliseconds)
        let client = try ProducingClient(configuration, timeoutMilliseconds: timeoutMilliseconds)
        state.withLock { $0.client = client }
    }

    deinit {
        close()
    }

    /// Publishes one record. Never blocks on the network.
    /// - Parameter completion: called exactly once, on the client's thread, or on the caller's where the record is refused
    ///   at once. Must not block.
    package func send(
        _ record: KafkaRecord, completion: @escaping @Sendable (Result<KafkaPlace, KafkaFailure>) -> Void
    ) {
        do throws(KafkaFailure) {
            try present().send(record, completion)
        } catch {
            completion(.failure(error))
        }
    }

    /// Waits for what is under way, then ends the client. What is not acknowledged by then fails.
    package func close(within limit: Duration = .zero) {
        let client = state.withLock { state in
            state.isClosed = true
            return state.client.take()
        }
        client?.close(within: limit)
    }

    private func present() throws(KafkaFailure) -> ProducingClient {
        try state.withLock { state throws(KafkaFailure) in
            if state.isClosed { throw .closed }
            if let client = state.client, client.isRunning { return client }
            let fresh = try ProducingClient(configuration, timeoutMilliseconds: timeoutMilliseconds)
            state.client = fresh
            return fresh
        }
    }
}

/// One librdkafka client with its thread.
///
/// Unchecked: librdkafka's functions may be called from any thread; the handle is destroyed by its own thread, and nothing is
/// sent from before that on (`life`).
@safe private final class ProducingClient: @unchecked Sendable {
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

    private let handle: OpaquePointer
    private let addresses: GuardedConnecting?
    private let life = Mutex(Life.running)
    /// The thread has ended.
    private let ended = DispatchSemaphore(value: 0)

    /// How long the thread waits for an acknowledgement before it looks whether it should end.
    private static let pollMilliseconds: Int32 = 100

    init(_ configuration: KafkaConfiguration, timeoutMilliseconds: Int32) throws(KafkaFailure) {
        let properties = KafkaProperties()
        let addresses = configuration.addressGuard.map(GuardedConnecting.init)
        self.addresses = addresses
        let standing = [
            ("bootstrap.servers", configuration.brokers.joined(separator: ",")), ("client.id", configuration.clientID),
            ("enable.idempotence", "true"), ("acks", "all"), ("message.timeout.ms", "\(timeoutMilliseconds)"),
            // A record waits no longer than this for others to go with it.
            ("linger.ms", "2"), ("log_level", "0"),
        ]
        for (name, value) in standing + configuration.sortedProperties {
            if let flaw = properties.set(name, value) {
                throw KafkaFailure(code: "configuration", message: "\(name): \(flaw)")
            }
        }
        guard let pointer = unsafe properties.pointer else {
            throw KafkaFailure(code: "configuration", message: "there is no memory for a Kafka client")
        }
        unsafe rd_kafka_conf_set_events(pointer, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR)
        if let addresses { addresses.install(in: properties) }
        var text = [CChar](repeating: 0, count: 512)
        guard let handle = unsafe rd_kafka_new(RD_KAFKA_PRODUCER, pointer, &text, text.count) else {
            let message = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            throw KafkaFailure(code: "configuration", message: "the Kafka client does not start: \(message)")
        }
        properties.takenOver()
        unsafe self.handle = unsafe handle
        guard startThread({ self.run() }) else {
            unsafe rd_kafka_destroy(handle)
            throw KafkaFailure(code: "resources", message: "the system gives no thread")
        }
    }

    var isRunning: Bool { life.withLock { $0 == .running } }

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
        let error = unsafe record.value.withUnsafeBytes { value in
            unsafe (record.key ?? []).withUnsafeBytes { key in
                unsafe gatehouse_kafka_produce(
                    handle, record.topic, record.key == nil ? nil : key.baseAddress, key.count, value.baseAddress,
                    value.count, headers, waiting.toOpaque())
            }
        }
        if error != RD_KAFKA_RESP_ERR_NO_ERROR {
            // Nobody will tell of it.
            if let headers = unsafe headers { unsafe rd_kafka_headers_destroy(headers) }
            unsafe waiting.release()
        }
        return error
    }

    func close(within limit: Duration) {
        let isFirst = life.withLock { life in
            guard life == .running else { return false }
            life = .closing
            return true
        }
        guard isFirst else { return }
        _ = unsafe rd_kafka_flush(handle, limit.wholeMilliseconds)
        // What is left fails now; its acknowledgements come as any.
        _ = unsafe rd_kafka_purge(handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
        life.withLock { $0 = .ended }
        ended.wait()
    }

    // MARK: The thread

    private func run() {
        let queue = unsafe rd_kafka_queue_get_main(handle)
        while isOpen || underWay > 0 {
            guard let event = unsafe rd_kafka_queue_poll(queue, Self.pollMilliseconds) else { continue }
            switch unsafe rd_kafka_event_type(event) {
            case RD_KAFKA_EVENT_DR: unsafe acknowledge(event)
            case RD_KAFKA_EVENT_ERROR where unsafe rd_kafka_event_error_is_fatal(event) != 0: fail()
            default: break
            }
            unsafe rd_kafka_event_destroy(event)
        }
        unsafe rd_kafka_queue_destroy(queue)
        unsafe rd_kafka_destroy(handle)
        ended.signal()
    }

    private var isOpen: Bool { life.withLock { $0 != .ended } }
    private var underWay: Int32 { unsafe rd_kafka_outq_len(handle) }

    private func acknowledge(_ event: OpaquePointer) {
        while let message = unsafe rd_kafka_event_message_next(event) {
            guard let context = unsafe message.pointee._private else { continue }
            let waiting = unsafe Unmanaged<Waiting>.fromOpaque(context).takeRetainedValue()
            let error = unsafe message.pointee.err
            if error == RD_KAFKA_RESP_ERR_NO_ERROR {
                waiting.completion(
                    .success(unsafe KafkaPlace(partition: message.pointee.partition, offset: message.pointee.offset)))
            } else {
                waiting.completion(.failure(failure(error)))
            }
        }
    }

    /// An address that the guard refused shows itself only as time running out.
    private func failure(_ error: rd_kafka_resp_err_t) -> KafkaFailure {
        guard let refusal = addresses?.lastRefusal, error == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT else {
            return KafkaFailure(error)
        }
        return KafkaFailure(code: "address_refused", message: refusal)
    }

    /// The client is of no use any more: what is under way fails, and the thread ends.
    private func fail() {
        // One that is being closed is used by who closes it until it is.
        life.withLock { if $0 == .running { $0 = .ended } }
        _ = unsafe rd_kafka_purge(handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
    }
}

extension Duration {
    /// Milliseconds, at most what librdkafka's arguments hold.
    fileprivate var wholeMilliseconds: Int32 {
        let (seconds, attoseconds) = components
        return Int32(clamping: min(seconds, 1 << 32) * 1000 + attoseconds / 1_000_000_000_000_000)
    }
}
