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

    private let settings: ProducingClient.Settings
    private let tellsOfRestart: Bool
    private let state = Mutex(State())

    /// - Parameters:
    ///   - timeout: for a record, from `send` to its acknowledgement.
    ///   - lingerMilliseconds: how long a record waits for others to go with it.
    ///   - tellsOfRestart: after an error that ended the client one record fails (`restarting`) before others go through a
    ///     new one, so that whoever keeps an order has been told of every failure before.
    ///   - onStatistics: given librdkafka's statistics (JSON) every five seconds, on the client's thread. Must not block.
    /// - Throws: `configuration` when librdkafka does not take it.
    package init(
        _ configuration: KafkaConfiguration, timeout: Duration, lingerMilliseconds: Int = 2,
        tellsOfRestart: Bool = false,
        onStatistics: (@Sendable ([UInt8]) -> Void)? = nil
    ) throws(KafkaFailure) {
        self.tellsOfRestart = tellsOfRestart
        settings = ProducingClient.Settings(
            configuration: configuration, timeoutMilliseconds: max(1, timeout.wholeMilliseconds),
            lingerMilliseconds: lingerMilliseconds, onStatistics: onStatistics)
        let client = try ProducingClient.start(settings)
        state.withLock { $0.client = client }
    }

    deinit {
        close()
    }

    /// Publishes one record. Never blocks on the network.
    /// - Parameter completion: called exactly once, on the client's thread, or on the caller's where the record is refused
    ///   at once (`queue_full`: when others have been acknowledged there is room again). Must not block.
    package func send(
        _ record: KafkaRecord, completion: @escaping @Sendable (Result<KafkaPlace, KafkaFailure>) -> Void
    ) {
        do throws(KafkaFailure) {
            try present().send(record, completion)
        } catch {
            completion(.failure(error))
        }
    }

    /// Records that are neither acknowledged nor failed.
    package var queued: Int { state.withLock { $0.client }?.queued ?? 0 }

    /// Waits for what is under way, sending it without lingering.
    /// - Returns: whether nothing is left.
    @discardableResult
    package func flush(within limit: Duration) -> Bool {
        state.withLock { $0.client }?.flush(within: limit) ?? true
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
            if let client = state.client {
                if client.isRunning { return client }
                // What it held fails first: nothing may overtake it by way of the next one.
                guard client.queued == 0 else { throw .restarting }
            }
            let fresh = try ProducingClient.start(settings)
            let isFirst = state.client == nil
            state.client = fresh
            if tellsOfRestart, !isFirst { throw .restarting }
            return fresh
        }
    }
}
