internal import Addresses
internal import CMicroHTTPD
internal import Glibc
internal import HTTPTypes
internal import Synchronization

/// One client's connection, from accepting to closing. Shared by the library's thread that serves it, the keeper, and
/// whoever answers its request.
final class Connection: Sendable {
    let peer: IPAddress?
    let isTLS: Bool
    /// Beyond the limit of connections: its request is refused, unless it is urgent.
    let isSurplus: Bool
    private let mark: Atomic<UInt64>
    private let state: Mutex<State>
    /// When its request must have arrived: monotonic microseconds, 0 without such a time; and what it is told then.
    private let arrival = Atomic<UInt64>(0)
    private let lateWord = Mutex<HTTPResponse?>(nil)
    /// The certificate its handshake borrowed, kept until the connection ends.
    private let borrowed = Mutex<TLSCertificate?>(nil)
    private let core: ServerCore
    private let standing = Atomic(Standing.counted.rawValue)

    /// Among which connections it is counted.
    private enum Standing: UInt8 { case counted, urgent, gone }

    private struct State {
        /// -1 once closed.
        var descriptor: Int32
        /// Counts the requests, so that an answer to an earlier one cannot become another's.
        var serial: UInt64 = 0
        var answer = Answer.none
    }

    /// Where the request in hand stands.
    private enum Answer {
        case none
        case awaited
        case suspended(SleepingConnection)
        case ready(HTTPResponse)
    }

    init(descriptor: Int32, peer: IPAddress?, core: ServerCore, isSurplus: Bool) {
        self.peer = peer
        self.core = core
        self.isSurplus = isSurplus
        isTLS = core.configuration.tls != nil
        mark = Atomic(PhaseMark(.fresh, since: monotonicMicroseconds()).word)
        state = Mutex(State(descriptor: descriptor))
    }

    var phaseMark: PhaseMark { PhaseMark(word: mark.load(ordering: .acquiring)) }

    /// Moves on to a phase; `false` when the keeper gave the connection up meanwhile.
    func enter(_ phase: ConnectionPhase) -> Bool {
        let next = PhaseMark(phase, since: monotonicMicroseconds()).word
        let previous = mark.exchange(next, ordering: .acquiringAndReleasing)
        guard PhaseMark(word: previous).phase == .expired else { return true }
        mark.store(previous, ordering: .releasing)
        return false
    }

    // MARK: How many there are

    /// It is counted among the urgent ones from here on.
    /// - Returns: whether it was counted among the others.
    func becomeUrgent() -> Bool {
        standing.compareExchange(
            expected: Standing.counted.rawValue, desired: Standing.urgent.rawValue, ordering: .acquiringAndReleasing
        ).exchanged
    }

    /// It is counted no more.
    /// - Returns: whether it was until now, and if so among the urgent ones.
    func leave() -> (wasCounted: Bool, wasUrgent: Bool) {
        let previous = standing.exchange(Standing.gone.rawValue, ordering: .acquiringAndReleasing)
        return (previous != Standing.gone.rawValue, previous == Standing.urgent.rawValue)
    }

    // MARK: Requests that must arrive soon

    /// When the request whose line has been read began, monotonic nanoseconds: while every thread is at work it waits
    /// with the system, and its client waits too. The first one over TLS began with the connection.
    func beginOfRequest(after mark: PhaseMark) -> UInt64 {
        let now = monotonicMicroseconds()
        guard mark.phase == .fresh || mark.phase == .idle else { return now * 1000 }
        let earliest = min(now, mark.since)
        if isTLS, mark.phase == .fresh { return earliest * 1000 }
        var age: UInt64 = 0
        withDescriptor { age = UInt64(gatehouse_milliseconds_since_data($0)) * 1000 }
        return max(earliest, now - min(now, age)) * 1000
    }

    /// The request in hand is to be whole by that moment, monotonic microseconds.
    func expect(by moment: UInt64, orSay answer: HTTPResponse) {
        lateWord.withLock { $0 = answer }
        arrival.store(moment, ordering: .releasing)
    }

    /// It is here, or is no more.
    func expectNothing() {
        guard arrival.exchange(0, ordering: .acquiringAndReleasing) != 0 else { return }
        lateWord.withLock { $0 = nil }
    }

    /// Whether the request will not be whole in time, looked at again only after `tick`.
    func isLate(_ mark: PhaseMark, now: UInt64, tick: UInt64) -> Bool {
        guard mark.phase == .head || mark.phase == .body else { return false }
        let moment = arrival.load(ordering: .acquiring)
        return moment != 0 && now + tick >= moment
    }

    /// What a client whose request is late is told.
    var wordForLate: HTTPResponse? { lateWord.withLock { $0 } }

    // MARK: The end

    /// Gives the connection up if it is still as it was seen: sends a last word and ends both directions. The library's
    /// thread then meets the end and closes. A TLS session is that thread's alone, so there the last word is dropped.
    func expire(seen: PhaseMark, lastWord: [UInt8]?) -> Bool {
        let expired = PhaseMark(.expired, since: seen.since).word
        guard mark.compareExchange(expected: seen.word, desired: expired, ordering: .acquiringAndReleasing).exchanged
        else { return false }
        withDescriptor { descriptor in
            if let lastWord, !isTLS { sendNow(lastWord, to: descriptor) }
            shutdown(descriptor, Int32(SHUT_RDWR))
        }
        return true
    }

    /// Called before the library closes the descriptor, whose number may then be another file's.
    ///
    /// - Returns: the descriptor it had.
    func close() -> Int32 {
        state.withLock {
            let descriptor = $0.descriptor
            $0.descriptor = -1
            $0.serial &+= 1
            $0.answer = .none
            return descriptor
        }
    }

    /// Runs with the descriptor, which cannot be closed meanwhile; not at all once it is.
    func withDescriptor(_ body: (Int32) -> Void) {
        state.withLock { if $0.descriptor >= 0 { body($0.descriptor) } }
    }

    /// The server's certificate of now, for this connection's handshake.
    func borrowCertificate() -> TLSCertificate? {
        let certificate = core.certificate.withLock { $0 }
        borrowed.withLock { $0 = certificate }
        return certificate
    }

    // MARK: The answer

    /// A request is complete: the number its answer must carry.
    func awaitAnswer() -> UInt64 {
        state.withLock {
            $0.serial &+= 1
            $0.answer = .awaited
            return $0.serial
        }
    }

    func answer(_ response: HTTPResponse, serial: UInt64) {
        let sleeping: SleepingConnection? = state.withLock { state in
            guard state.serial == serial else { return nil }
            switch state.answer {
            case .none, .ready:
                return nil
            case .awaited:
                state.answer = .ready(response)
                return nil
            case .suspended(let sleeping):
                state.answer = .ready(response)
                return sleeping
            }
        }
        // Outside the lock, which its thread takes as soon as it is awake. It cannot close before.
        sleeping?.wake()
    }

    /// The answer, if it is there; else the library's connection is suspended until it is, unless the server is stopping.
    func takeAnswerOrSuspend(_ connection: OpaquePointer, isStopping: borrowing Atomic<Bool>) -> HTTPResponse? {
        state.withLock { state in
            if case .ready(let response) = state.answer {
                state.answer = .none
                return response
            }
            // Read under the lock: `answerIfSuspended` runs after the flag is set, so one of the two sees the other.
            if isStopping.load(ordering: .acquiring) {
                state.answer = .none
                return Refusal.shuttingDown.response
            }
            state.answer = unsafe .suspended(SleepingConnection(suspending: connection))
            return nil
        }
    }

    /// Answers for a handler that has not. The library aborts when it is stopped with suspended connections.
    func answerIfSuspended(_ response: HTTPResponse) {
        let sleeping: SleepingConnection? = state.withLock { state in
            guard case .suspended(let sleeping) = state.answer else { return nil }
            state.answer = .ready(response)
            return sleeping
        }
        sleeping?.wake()
    }
}

/// Sends what the socket takes at once, for last words on a connection about to be closed.
func sendNow(_ bytes: [UInt8], to descriptor: Int32) {
    unsafe bytes.withUnsafeBytes {
        _ = unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
    }
}
