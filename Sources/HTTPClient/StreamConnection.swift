import CCurl

/// The loop's side of one stream: an easy handle that only connects, and the bytes on their way to it.
final class StreamConnection {
    enum Turn {
        case idle
        case more
        case ended(TransportFailure?)
    }

    let request: StreamRequest
    let state: StreamState
    let easy: EasyHandle
    private(set) var descriptor: Int32 = -1
    private(set) var isOpen = false
    /// The connection takes nothing more at the moment.
    private(set) var isBlocked = false
    /// The descriptor was reported ready, or there is something new to write.
    var isReady = false

    private let attempt: ConnectionAttempt
    private let pin: CertificatePin?
    private let begun = MonotonicTime.now()
    private var lastProgress = MonotonicTime.now()
    private var queued = FIFO<StreamWrite>()
    /// How much of the first queued write is in the buffer already.
    private var loadedOfFirst = 0
    private var buffer = PinnedBytes(capacity: bufferCapacity)
    private var sentOfBuffer = 0
    /// Writes that end inside the buffer, with where.
    private var ends = FIFO<(offset: Int, write: StreamWrite)>()
    private var ending = Ending.none
    private var lastSent = MonotonicTime.now()
    /// A look at it that found it standing, and what it had been given by then.
    private var mark: (at: MonotonicTime, given: UInt64)?
    /// Nothing was written since it was found healthy, long after the last write.
    private var isQuiet = true
    private var scratch = [UInt8](repeating: 0, count: 4096)

    /// How it is closed in order.
    private enum Ending {
        case none
        /// What waits is written before.
        case wanted(since: MonotonicTime)
        /// The other end knows that nothing more comes.
        case told(since: MonotonicTime)

        var since: MonotonicTime? {
            switch self {
            case .none: nil
            case .wanted(let since), .told(let since): since
            }
        }
    }

    private static let bufferCapacity = 64 * 1024
    /// How long an end in order may take.
    private static let longestEnding = Duration.seconds(5)
    /// A peer that is there answers probes more often.
    private static let heardWithinMilliseconds: UInt32 = 20_000
    /// Buffers sent, and reads done, in one turn before the others have theirs.
    private static let burstsInATurn = 16

    init(_ request: StreamRequest) throws(TransportFailure) {
        guard Authority.isHost(request.host), (1...65535).contains(request.port) else {
            throw TransportFailure(.url, "the address of the stream names no host and port")
        }
        guard let easy = EasyHandle() else {
            throw TransportFailure(.client, "libcurl gives no handle: out of memory?")
        }
        self.request = request
        self.easy = easy
        state = StreamState(maximumQueuedBytes: request.maximumQueuedBytes)
        let milliseconds = max(1, request.timeout.milliseconds)
        // Twice the time: a peer that answers but takes nothing in is ours to give up, and to name.
        attempt = ConnectionAttempt(
            easy: easy, purpose: .stream(unansweredMilliseconds: 2 * milliseconds), lookups: nil)
        easy.configureConnection()
        pin = try request.tls.map { tls throws(TransportFailure) in try easy.configureTLS(tls) } ?? nil
        let host = request.host.contains(":") ? "[\(request.host)]" : request.host
        easy.set(CURLOPT_URL, text: "\(request.tls == nil ? "http" : "https")://\(host):\(request.port)/")
        easy.set(CURLOPT_CONNECT_ONLY, 1)
        easy.set(CURLOPT_FRESH_CONNECT, 1)
        easy.set(CURLOPT_SSL_ENABLE_ALPN, 0)
        // Connections are rare, and one made after the file of authorities was replaced is to trust the new one.
        easy.set(CURLOPT_CA_CACHE_TIMEOUT, 0)
        // Long enough that no other stream's clearing up takes this one for a connection idle too long.
        easy.set(CURLOPT_MAXAGE_CONN, 1 << 30)
        easy.set(CURLOPT_TIMEOUT_MS, milliseconds)
        easy.set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds)
        // Unretained: the loop holds the stream while the handle is in its multi handle.
        unsafe easy.set(CURLOPT_PRIVATE, pointer: Unmanaged.passUnretained(self).toOpaque())
        attempt.begin(
            host: request.host, addressGuard: request.addressGuard, isUnixSocket: false, pin: pin)
    }

    static func from(_ context: UnsafeMutableRawPointer) -> StreamConnection {
        unsafe Unmanaged<StreamConnection>.fromOpaque(context).takeUnretainedValue()
    }

    /// Once libcurl has connected; false when there is no connection after all.
    func becomeOpen() -> Bool {
        guard let socket = easy.socket() else { return false }
        descriptor = socket
        isOpen = true
        isReady = true
        return true
    }

    func connectionFailure(_ result: CURLcode) -> TransportFailure {
        FailureMapping.failure(
            result, easy: easy, attempt: attempt, host: request.host, duration: begun.elapsed())
    }

    func enqueue(_ write: StreamWrite) {
        queued.append(write)
        isReady = true
    }

    /// Reads what came, then writes what waits, as far as the connection takes it.
    func serve(now: MonotonicTime) -> Turn {
        guard isReady else { return stalled(now) }
        isReady = false
        for _ in 0..<Self.burstsInATurn {
            if let ended = readAll() { return ended }
            guard fill() else {
                isBlocked = false
                if case .wanted(let since) = ending {
                    ending = .told(since: since)
                    unsafe gatehouse_curl_end_sending(easy.handle, descriptor)
                    isReady = true
                }
                return isReady ? .more : stalled(now)
            }
            switch sendBuffer() {
            case .idle: return isReady ? .more : stalled(now)
            case .more:
                lastProgress = now
                lastSent = now
                isQuiet = false
            case .ended(let failure): return .ended(failure)
            }
        }
        isReady = true
        return .more
    }

    /// Tells everybody who waits that the connection has ended, and why; nil when it was closed by its owner.
    func end(_ failure: TransportFailure?) {
        let wasOpen = isOpen
        isOpen = false
        let left = failure ?? TransportFailure(.connectionClosed, "the stream was closed before this was written")
        state.finish(failure)
        while let (_, write) = ends.popFirst() { complete(write, .failure(left)) }
        while let write = queued.popFirst() { complete(write, .failure(left)) }
        if !wasOpen { request.completion(.failure(left)) }
    }

    /// Empties the receive buffer before each burst: nothing may be written after the peer's close, because a send then
    /// still says that all is well. What a receiver sends is dropped.
    private func readAll() -> Turn? {
        for _ in 0..<Self.burstsInATurn {
            var count = 0
            let result = unsafe scratch.withUnsafeMutableBytes { scratch in
                unsafe curl_easy_recv(easy.handle, scratch.baseAddress, scratch.count, &count)
            }
            switch result {
            case CURLE_AGAIN: return nil
            case CURLE_OK where count > 0: continue
            case CURLE_OK where isReadToItsEnd: return .ended(nil)
            case CURLE_OK:
                return .ended(TransportFailure(.connectionClosed, "\(request.host) closed the connection"))
            default: return .ended(isReadToItsEnd && isPlainEnd(result) ? nil : broken(result))
            }
        }
        // A peer that sends without end: its talk waits while ours goes on.
        isReady = true
        return nil
    }

    /// Loads the buffer when it is empty; false when there is nothing to send.
    private func fill() -> Bool {
        guard sentOfBuffer == buffer.count else { return true }
        buffer.clear(keeping: Self.bufferCapacity)
        sentOfBuffer = 0
        while buffer.room > 0, let write = queued.first {
            loadedOfFirst += buffer.append(write.bytes[loadedOfFirst...])
            guard loadedOfFirst == write.bytes.count else { break }
            _ = queued.popFirst()
            loadedOfFirst = 0
            ends.append((buffer.count, write))
        }
        return buffer.count > 0
    }

    /// After CURLE_AGAIN the next call has the very same pointer and length, or TLS fails: neither changes until
    /// something was taken.
    private func sendBuffer() -> Turn {
        var taken = 0
        let result = unsafe curl_easy_send(
            easy.handle, buffer.start + sentOfBuffer, buffer.count - sentOfBuffer, &taken)
        switch result {
        case CURLE_OK where taken > 0:
            isBlocked = false
            sentOfBuffer += taken
            while let (offset, write) = ends.first, offset <= sentOfBuffer {
                _ = ends.popFirst()
                complete(write, .success(()))
            }
            return .more
        case CURLE_OK, CURLE_AGAIN:
            if !isBlocked { lastProgress = .now() }
            isBlocked = true
            return .idle
        default:
            return .ended(broken(result))
        }
    }

    /// The peer closes, knows that nothing more comes, and its system took in everything: it has read it, or there would be
    /// a reset. One that closed by itself a moment before has not taken in the last of it.
    private var isReadToItsEnd: Bool {
        guard case .told = ending else { return false }
        return gatehouse_tcp_is_acknowledged(descriptor) == 1
    }

    /// The peer closed in order, but by TCP alone: where it had anything unread, its system would have sent a reset.
    private func isPlainEnd(_ result: CURLcode) -> Bool {
        easy.explanation(of: result).contains("unexpected eof")
    }

    /// Says that nothing more comes, once everything is written.
    func finish(now: MonotonicTime) {
        if case .none = ending { ending = .wanted(since: now) }
        isReady = true
    }

    /// It has to be looked at soon although nothing happens.
    var isUrgent: Bool { isBlocked || ending.since != nil }

    /// Somebody wants to know how it is.
    var isOfInterest: Bool { isOpen && !isQuiet && state.watchedFor != nil }

    /// Tells who wants to know how far all is well: what was given to the connection until some moment has been
    /// acknowledged. While more is given all the time, that moment is the last look at it, or one before.
    func tellHealth(now: MonotonicTime) {
        var (acknowledged, given) = (UInt64(0), UInt64(0))
        guard isOfInterest, let watchedFor = state.watchedFor,
            unsafe gatehouse_tcp_progress(descriptor, Self.heardWithinMilliseconds, &acknowledged, &given) == 1
        else { return }
        defer { if mark.map({ $0.given <= acknowledged }) ?? true { mark = (now, given) } }
        if acknowledged >= given {
            isQuiet = queued.first == nil && ends.first == nil && lastSent.elapsed(until: now) >= watchedFor
            state.tellHealthy(.zero)
        } else if let mark, mark.given <= acknowledged {
            state.tellHealthy(mark.at.elapsed(until: now))
        }
    }

    private func stalled(_ now: MonotonicTime) -> Turn {
        if let since = ending.since, since.elapsed(until: now) >= Self.longestEnding {
            return .ended(TransportFailure(.timeout, "\(request.host) does not close the connection in its turn"))
        }
        guard isBlocked, lastProgress.elapsed(until: now) >= request.timeout else { return .idle }
        return .ended(TransportFailure(.timeout, "\(request.host) has taken nothing in for too long"))
    }

    private func broken(_ result: CURLcode) -> TransportFailure {
        // ETIMEDOUT, which libcurl has in words only.
        if easy.explanation(of: result).contains("Connection timed out") {
            return TransportFailure(.timeout, "\(request.host) has acknowledged nothing for too long")
        }
        let failure = FailureMapping.failure(
            result, easy: easy, attempt: attempt, host: request.host, duration: begun.elapsed())
        guard failure.code == .client || failure.code == .url else { return failure }
        return TransportFailure(
            .connectionClosed, "the connection with \(request.host) broke", duration: failure.duration)
    }

    private func complete(_ write: StreamWrite, _ result: Result<Void, TransportFailure>) {
        state.release(write.bytes.count)
        write.completion(result)
    }
}
