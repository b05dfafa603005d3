internal import Addresses
internal import CRdKafka
internal import Synchronization

/// What the callbacks of a client reach: the address guard, and whoever wants to know what happens in it. It must outlive
/// the client.
final class ClientContext: Sendable {
    /// What a consumer group decides about partitions.
    enum Rebalance: Sendable {
        case assign([TopicPartition])
        case revoke(isLost: Bool)
    }

    /// Called within a poll, on the thread that polls. Where it returns false, the member has no partitions from now on;
    /// otherwise the answer is given later.
    typealias Rebalanced = @Sendable (Rebalance) -> Bool
    /// A commit has ended; the number is the one it was begun with. Called within a poll.
    typealias Committed = @Sendable (UInt, rd_kafka_resp_err_t) -> Void

    private struct Troubles {
        /// Why brokers cannot be reached or used, where it is more than that they do not answer.
        var cause: KafkaFailure?
        /// The last error nobody has been told of.
        var untold: KafkaFailure?
    }

    let addresses: GuardedConnecting?
    private let redaction: Redaction
    private let usesSCRAM: Bool
    private let onStatistics: (@Sendable ([UInt8]) -> Void)?
    private let onRebalance: Rebalanced?
    private let onCommit: Committed?
    private let troubles = Mutex(Troubles())

    init(
        _ configuration: KafkaConfiguration, onStatistics: (@Sendable ([UInt8]) -> Void)?,
        onRebalance: Rebalanced? = nil,
        onCommit: Committed? = nil
    ) {
        addresses = configuration.addressGuard.map(GuardedConnecting.init)
        redaction = Redaction(configuration.properties)
        usesSCRAM = configuration.properties.contains { name, value in
            name.hasPrefix("sasl.mechanism") && value.uppercased().hasPrefix("SCRAM")
        }
        self.onStatistics = onStatistics
        self.onRebalance = onRebalance
        self.onCommit = onCommit
    }

    /// The context of a client, from what librdkafka hands a callback.
    static func of(_ opaque: UnsafeMutableRawPointer?) -> ClientContext? {
        unsafe opaque.map { unsafe Unmanaged<ClientContext>.fromOpaque($0).takeUnretainedValue() }
    }

    func install(in properties: KafkaProperties) {
        guard let pointer = unsafe properties.pointer else { return }
        unsafe rd_kafka_conf_set_opaque(pointer, Unmanaged.passUnretained(self).toOpaque())
        // Whatever `log_level` and `debug` say: standard error is the program's.
        unsafe rd_kafka_conf_set_log_cb(pointer) { _, _, _, _ in }
        unsafe rd_kafka_conf_set_error_cb(pointer) { _, error, reason, opaque in
            unsafe ClientContext.of(opaque)?.note(rd_kafka_resp_err_t(error), reason)
        }
        if addresses != nil { GuardedConnecting.install(in: properties) }
        if onStatistics != nil {
            unsafe rd_kafka_conf_set_stats_cb(pointer) { _, json, length, opaque in
                unsafe ClientContext.of(opaque)?.statistics(UnsafeRawBufferPointer(start: json, count: length))
                return 0
            }
        }
        if onRebalance != nil {
            unsafe rd_kafka_conf_set_rebalance_cb(pointer) { client, error, partitions, opaque in
                guard let partitions = unsafe partitions, let context = unsafe ClientContext.of(opaque) else { return }
                let rebalance: Rebalance =
                    error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS
                    ? .assign(unsafe PartitionList.elements(of: partitions).map(\.partition))
                    : .revoke(isLost: unsafe rd_kafka_assignment_lost(client) != 0)
                if context.onRebalance?(rebalance) == false { _ = unsafe rd_kafka_assign(client, nil) }
            }
        }
    }

    /// Ends a commit that was begun with this as its callback and its number as the callback's context.
    static let committed:
        @convention(c) (
            OpaquePointer?, rd_kafka_resp_err_t, UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?,
            UnsafeMutableRawPointer?
        ) -> Void = { client, error, partitions, number in
            var error = error
            if error == RD_KAFKA_RESP_ERR_NO_ERROR, let partitions = unsafe partitions {
                for index in 0..<Int(unsafe partitions.pointee.cnt) {
                    let own = unsafe partitions.pointee.elems[index].err
                    if own != RD_KAFKA_RESP_ERR_NO_ERROR { error = own }
                }
            }
            unsafe ClientContext.of(rd_kafka_opaque(client))?.onCommit?(UInt(bitPattern: number), error)
        }

    func statistics(_ json: UnsafeRawBufferPointer) {
        unsafe onStatistics?(Array(json))
    }

    // MARK: Errors

    /// Takes note of an error that concerns the client as a whole.
    func note(_ error: rd_kafka_resp_err_t, _ reason: UnsafePointer<CChar>?) {
        let described = describe(error, unsafe reason.map { unsafe String(cString: $0) })
        if Self.causes.contains(where: { $0 == error }) { troubles.withLock { $0.cause = described } }
        let reasoned = failure(error)
        troubles.withLock { $0.untold = reasoned.code == described.code ? described : reasoned }
    }

    /// Something has succeeded: what was wrong before is no reason any more.
    func succeeded() {
        troubles.withLock { $0.cause = nil }
    }

    /// The last error of the client as a whole, once.
    func takeUntold() -> KafkaFailure? {
        troubles.withLock { $0.untold.take() }
    }

    /// A failure with its reason. What keeps a client from its brokers (an address that the guard refused, credentials, a
    /// certificate) shows itself only as time running out.
    func failure(_ error: rd_kafka_resp_err_t, mayBeKept: Bool = false) -> KafkaFailure {
        guard Self.ofWaiting.contains(where: { $0 == error }) else {
            return KafkaFailure(error, mayBeKept: mayBeKept)
        }
        if let refusal = addresses?.lastRefusal {
            return KafkaFailure(code: "address_refused", message: refusal, mayBeKept: mayBeKept)
        }
        var failure = troubles.withLock { $0.cause } ?? KafkaFailure(error)
        failure.mayBeKept = mayBeKept
        return failure
    }

    /// librdkafka's own words are not used where they may hold a part of what somebody else sent or was sent.
    private func describe(_ error: rd_kafka_resp_err_t, _ reason: String?) -> KafkaFailure {
        var failure = KafkaFailure(error)
        switch error {
        case RD_KAFKA_RESP_ERR__AUTHENTICATION:
            failure.message = "a broker does not take the credentials: see the sasl properties"
            if usesSCRAM && !KafkaLibrary.speaksSCRAM {
                failure.message +=
                    " (librdkafka \(KafkaLibrary.version) cannot log in by SCRAM to Kafka 4.0 or newer; 2.6.1 and newer can)"
            }
        default:
            if let reason { failure.message = redaction.apply(reason) }
        }
        return failure
    }

    private static let causes = [
        RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR__SSL, RD_KAFKA_RESP_ERR__RESOLVE,
    ]

    private static let ofWaiting = [
        RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE,
        RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__WAIT_COORD,
        RD_KAFKA_RESP_ERR__AUTHENTICATION,
    ]
}

/// Takes the values of properties that may be secret out of a text.
struct Redaction: Sendable {
    private let secrets: [String]

    init(_ properties: [String: String]) {
        let words = ["password", "secret", "pem", "token", "oauthbearer.config", "username"]
        secrets = properties.filter { name, value in value.count > 2 && words.contains { name.contains($0) } }
            .map(\.value).sorted { $0.count > $1.count }
    }

    func apply(_ text: String) -> String {
        var rest = Substring(text)
        var result = ""
        while let character = rest.first {
            if let secret = secrets.first(where: { rest.hasPrefix($0) }) {
                result += "***"
                rest = rest.dropFirst(secret.count)
            } else {
                result.append(character)
                rest = rest.dropFirst()
            }
        }
        return result
    }
}
