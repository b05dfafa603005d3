import Addresses
import CCurl
import Glibc

struct StreamRequest: Sendable {
    let host: String
    let port: Int
    let tls: TLSOptions?
    let addressGuard: AddressGuard?
    let timeout: Duration
    let maximumQueuedBytes: Int
    let completion: @Sendable (Result<ByteStream, TransportFailure>) -> Void
}

/// The one thread on which all streams run, with a multi handle that holds nothing else: to libcurl a connection that was
/// only opened is an idle one until it is first used, and requests would clear it up with their own.
///
/// Sendable because its state is confined to that thread (`run`); from outside only the queue is touched.
final class StreamLoop: @unchecked Sendable {
    private enum Command: Sendable {
        case open(StreamRequest)
        case write(StreamWrite, StreamState)
        case close(StreamState)
        case finish(StreamState)
    }

    private static let maximumStreams = 1024
    private static let maximumOutstanding = 1 << 18
    private static let idleWaitMilliseconds = 60_000

    private let multi: MultiHandle
    private let healthIntervalMilliseconds: Int
    private let queue: CommandQueue<Command>
    private var streams: [ObjectIdentifier: StreamConnection] = [:]
    private var lastHealthCheck = MonotonicTime.now()

    /// - Parameter healthInterval: between two looks at how connections are.
    init(healthInterval: Duration) {
        healthIntervalMilliseconds = max(1, healthInterval.milliseconds)
        let multi = MultiHandle(connections: Self.maximumStreams)
        self.multi = multi
        queue = CommandQueue(limit: Self.maximumOutstanding) { multi.wake() }
    }

    func open(_ request: StreamRequest) {
        refuse(queue.push(.open(request))) { request.completion(.failure($0)) }
    }

    func write(_ write: StreamWrite, to state: StreamState) {
        refuse(queue.push(.write(write, state))) { failure in
            state.release(write.bytes.count)
            write.completion(.failure(failure))
        }
    }

    func close(_ state: StreamState) {
        // A refusal for lack of room would leave the connection open: closing is never refused.
        queue.pushAlways(.close(state))
    }

    /// As `close`, once everything is written and the other end has closed in its turn.
    func finish(_ state: StreamState) {
        queue.pushAlways(.finish(state))
    }

    func stop() {
        queue.stop()
    }

    func run() {
        var batch: [Command] = []
        var sockets: [curl_waitfd] = []
        while queue.take(into: &batch) {
            for command in batch { handle(command) }
            queue.finish(batch.count)
            batch.removeAll(keepingCapacity: true)
            multi.perform()
            finishConnecting()
            let isBusy = serve()
            checkHealth()
            if isBusy || !queue.mayWait() { continue }
            collectSockets(&sockets)
            multi.wait(&sockets, milliseconds: waitMilliseconds)
            noteReadiness(sockets)
        }
        cancelAll(also: batch)
    }

    private func refuse(_ refusal: CommandQueue<Command>.Refusal?, _ tell: (TransportFailure) -> Void) {
        switch refusal {
        case nil: break
        case .busy: tell(TransportFailure(.clientBusy, "too much is waiting to be written: try again later"))
        case .stopped: tell(TransportFailure(.shutdown, "the program is stopping"))
        }
    }

    private func handle(_ command: Command) {
        switch command {
        case .open(let request): start(request)
        case .write(let write, let state):
            if let stream = streams[ObjectIdentifier(state)] {
                stream.enqueue(write)
            } else {
                state.release(write.bytes.count)
                write.completion(.failure(TransportFailure(.connectionClosed, "the stream is closed")))
            }
        case .close(let state):
            if let stream = streams[ObjectIdentifier(state)] { end(stream, nil) }
        case .finish(let state): streams[ObjectIdentifier(state)]?.finish(now: .now())
        }
    }

    private func start(_ request: StreamRequest) {
        do throws(TransportFailure) {
            guard streams.count < Self.maximumStreams else {
                throw TransportFailure(.clientBusy, "too many streams are open")
            }
            let stream = try StreamConnection(request)
            guard multi.add(stream.easy) else {
                throw TransportFailure(.client, "libcurl does not take the stream: out of memory?")
            }
            streams[ObjectIdentifier(stream.state)] = stream
        } catch {
            request.completion(.failure(error))
        }
    }

    private func finishConnecting() {
        unsafe multi.forEachFinished { context, result in
            let stream = unsafe StreamConnection.from(context)
            if result == CURLE_OK, stream.becomeOpen() {
                stream.request.completion(.success(ByteStream(stream.state, loop: self)))
            } else {
                end(stream, stream.connectionFailure(result))
            }
        }
    }

    /// Lets every stream read and write what it can; true when one has more to do at once.
    private func serve() -> Bool {
        var isBusy = false
        let now = MonotonicTime.now()
        for stream in streams.values where stream.isOpen {
            switch stream.serve(now: now) {
            case .idle: break
            case .more: isBusy = true
            case .ended(let failure): end(stream, failure)
            }
        }
        return isBusy
    }

    private func end(_ stream: StreamConnection, _ failure: TransportFailure?) {
        guard streams.removeValue(forKey: ObjectIdentifier(stream.state)) != nil else { return }
        multi.remove(stream.easy)
        stream.end(failure)
    }

    private var waitMilliseconds: Int {
        if streams.values.contains(where: { $0.isUrgent }) { return 250 }
        return streams.values.contains { $0.isOfInterest }
            ? healthIntervalMilliseconds : Self.idleWaitMilliseconds
    }

    private func checkHealth() {
        let now = MonotonicTime.now()
        guard lastHealthCheck.elapsed(until: now) >= .milliseconds(healthIntervalMilliseconds) else { return }
        lastHealthCheck = now
        for stream in streams.values { stream.tellHealth(now: now) }
    }

    private func collectSockets(_ sockets: inout [curl_waitfd]) {
        sockets.removeAll(keepingCapacity: true)
        for stream in streams.values where stream.isOpen {
            let events = stream.isBlocked ? CURL_WAIT_POLLIN | CURL_WAIT_POLLOUT : CURL_WAIT_POLLIN
            sockets.append(curl_waitfd(fd: stream.descriptor, events: Int16(events), revents: 0))
        }
    }

    private func noteReadiness(_ sockets: [curl_waitfd]) {
        let ready = Set(sockets.lazy.filter { $0.revents != 0 }.map(\.fd))
        guard !ready.isEmpty else { return }
        for stream in streams.values where stream.isOpen && ready.contains(stream.descriptor) {
            stream.isReady = true
        }
    }

    private func cancelAll(also batch: [Command]) {
        let failure = TransportFailure(.shutdown, "the program is stopping")
        for stream in streams.values {
            multi.remove(stream.easy)
            stream.end(failure)
        }
        streams.removeAll()
        for command in batch {
            switch command {
            case .open(let request): request.completion(.failure(failure))
            case .write(let write, let state):
                state.release(write.bytes.count)
                write.completion(.failure(failure))
            case .close(let state): state.finish(nil)
            case .finish(let state): state.finish(failure)
            }
        }
    }
}
