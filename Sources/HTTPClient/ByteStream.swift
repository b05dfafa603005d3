import Synchronization

/// An open TCP or TLS connection that bytes are written to, in order. What comes back is read and dropped.
package final class ByteStream: Sendable {
    private let state: StreamState
    private let loop: StreamLoop

    init(_ state: StreamState, loop: StreamLoop) {
        self.state = state
        self.loop = loop
    }

    deinit {
        close()
    }

    /// Queues bytes; never blocks.
    ///
    /// - Parameter completion: Called exactly once: with success when the kernel has taken the last byte, which does not
    ///   say that the other end got it; with a failure when the connection ended before. On the client's thread, or on
    ///   the caller's where the write is refused at once (`client_busy`, or the stream is closed). Must not block.
    package func write(
        _ bytes: [UInt8], completion: @escaping @Sendable (Result<Void, TransportFailure>) -> Void
    ) {
        if let failure = state.reserve(bytes.count) { return completion(.failure(failure)) }
        loop.write(StreamWrite(bytes: bytes, completion: completion), to: state)
    }

    /// Closes the connection at once. What is not yet written fails with `connection_closed`.
    package func close() {
        guard state.markClosing() else { return }
        loop.close(state)
    }

    /// Closes the connection in order: writes what waits, says that nothing more comes, and waits until the other end has
    /// read it to its end and closes as well, for some seconds at most. `onClose` then tells nil; any other ending is a
    /// failure. Nothing is taken any more. It goes on though this object is let go of.
    package func finish() {
        guard state.markClosing() else { return }
        loop.finish(state)
    }

    /// Has `callback` called now and then as long as something was written within that time, whenever the other end was heard from a
    /// moment ago: its system has acknowledged everything whose write was completed so long before. On the client's
    /// thread; must not block.
    package func onHealthy(within time: Duration = .seconds(35), _ callback: @escaping @Sendable (Duration) -> Void) {
        state.onHealthy(within: time, callback)
    }

    /// Has `callback` called once when the connection has ended, with why, or nil after `close`; at once when it has
    /// ended already. On the client's thread or the caller's. Must not block. A later callback replaces an earlier one.
    package func onClose(_ callback: @escaping @Sendable (TransportFailure?) -> Void) {
        state.onClose(callback)
    }

    package var isOpen: Bool { state.isOpen }
}

struct StreamWrite: Sendable {
    let bytes: [UInt8]
    let completion: @Sendable (Result<Void, TransportFailure>) -> Void
}

/// What a stream's two sides share: the writer's handle and the loop's connection.
final class StreamState: Sendable {
    private enum Phase {
        case open
        /// `close` was called; the loop has still to end the connection.
        case closing
        case closed(TransportFailure?)
    }

    private struct State {
        var phase = Phase.open
        var queuedBytes = 0
        var onClose: (@Sendable (TransportFailure?) -> Void)?
        var onHealthy: (@Sendable (Duration) -> Void)?
        var watchedFor = Duration.zero
    }

    private let state = Mutex(State())
    private let maximumQueuedBytes: Int

    init(maximumQueuedBytes: Int) {
        self.maximumQueuedBytes = maximumQueuedBytes
    }

    var isOpen: Bool {
        state.withLock { if case .open = $0.phase { true } else { false } }
    }

    /// Takes room in the queue; why there is none, or nil. A single write larger than the bound is taken alone.
    func reserve(_ count: Int) -> TransportFailure? {
        state.withLock { state in
            switch state.phase {
            case .closing, .closed(nil): return TransportFailure(.connectionClosed, "the stream is closed")
            case .closed(let failure?): return failure
            case .open:
                guard state.queuedBytes == 0 || state.queuedBytes + count <= maximumQueuedBytes else {
                    return TransportFailure(.clientBusy, "too much is waiting to be written: try again later")
                }
                state.queuedBytes += count
                return nil
            }
        }
    }

    func release(_ count: Int) {
        state.withLock { $0.queuedBytes -= count }
    }

    /// False when it was closing or closed already.
    func markClosing() -> Bool {
        state.withLock { state in
            guard case .open = state.phase else { return false }
            state.phase = .closing
            return true
        }
    }

    /// How long after the last write somebody wants to know how it is; nil: nobody does.
    var watchedFor: Duration? {
        state.withLock { $0.onHealthy == nil ? nil : $0.watchedFor }
    }

    func onHealthy(within time: Duration, _ callback: @escaping @Sendable (Duration) -> Void) {
        state.withLock {
            $0.onHealthy = callback
            $0.watchedFor = time
        }
    }

    func tellHealthy(_ age: Duration) {
        state.withLock(\.onHealthy)?(age)
    }

    func finish(_ failure: TransportFailure?) {
        let callback = state.withLock { state -> (@Sendable (TransportFailure?) -> Void)? in
            if case .closed = state.phase { return nil }
            state.phase = .closed(failure)
            state.onHealthy = nil
            return state.onClose.take()
        }
        callback?(failure)
    }

    func onClose(_ callback: @escaping @Sendable (TransportFailure?) -> Void) {
        let ended = state.withLock { state -> TransportFailure?? in
            if case .closed(let failure) = state.phase { return .some(failure) }
            state.onClose = callback
            return nil
        }
        if let ended { callback(ended) }
    }
}
