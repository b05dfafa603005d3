internal import Addresses
internal import Glibc
internal import HTTPTypes
internal import Synchronization

/// What the threads of one server share.
final class ServerCore: Sendable {
    /// Connections beyond the limit that are taken on to be told 503, unless they turn out to be urgent.
    static let surplus = 64
    /// Urgent connections beyond the limit. Those beyond this number too are counted among the surplus.
    static let mostUrgent = 512

    let configuration: HTTPServerConfiguration
    let handler: any HTTPHandler
    let deadlines: PhaseDeadlines
    let table = ConnectionTable()
    let responses = ResponseCache()
    /// Whether the library lays its buffer out as `HeaderBlock` reads it.
    let readsHeaderBlock: Bool
    /// No new connections: every answer closes its own.
    let isDraining = Atomic(false)
    /// Every request is refused.
    let isStopping = Atomic(false)
    /// Connections accepted and neither closed nor given up, without the urgent ones beyond the limit.
    let open = Atomic(0)
    private let urgent = Atomic(0)
    let certificate: Mutex<TLSCertificate?>
    private let lingering = Mutex(LingeringSockets())

    init(
        _ configuration: HTTPServerConfiguration, handler: any HTTPHandler, certificate: TLSCertificate?,
        readsHeaderBlock: Bool
    ) {
        self.configuration = configuration
        self.handler = handler
        deadlines = PhaseDeadlines(configuration)
        self.certificate = Mutex(certificate)
        self.readsHeaderBlock = readsHeaderBlock
    }

    func report(_ refusal: Refusal, _ connection: Connection, path: String?) {
        configuration.onRefusal?(
            HTTPRefusal(
                address: connection.peer, path: path, status: refusal.problem.status, code: refusal.problem.code,
                detail: refusal.problem.detail))
    }

    func report(_ refusal: Refusal, _ request: Request) {
        report(refusal, request.connection, path: request.path)
    }

    // MARK: Connections

    /// A client was accepted.
    func accepted(_ descriptor: Int32, peer: IPAddress?) -> Connection {
        let count = open.add(1, ordering: .relaxed).oldValue
        let connection = Connection(
            descriptor: descriptor, peer: peer, core: self, isSurplus: count >= configuration.connections)
        table.insert(connection, at: descriptor)
        return connection
    }

    /// A request on it must be served soon. Beyond the limit it takes no place from those that are told 503.
    func isUrgent(_ connection: Connection) {
        guard connection.isSurplus, urgent.load(ordering: .relaxed) < Self.mostUrgent, connection.becomeUrgent() else {
            return
        }
        urgent.add(1, ordering: .relaxed)
        open.subtract(1, ordering: .relaxed)
    }

    private func leave(_ connection: Connection) {
        let (wasCounted, wasUrgent) = connection.leave()
        guard wasCounted else { return }
        if wasUrgent { urgent.subtract(1, ordering: .relaxed) } else { open.subtract(1, ordering: .relaxed) }
    }

    /// To be called before the descriptor is closed.
    func closed(_ connection: Connection) {
        leave(connection)
        table.remove(connection, at: connection.close())
    }

    /// Gives up every connection whose time is over.
    func expireOverdue(now: UInt64) {
        for (connection, mark) in table.late(now: now, tick: deadlines.tick) {
            guard expire(connection, mark, saying: connection.wordForLate) else { continue }
            report(mark.phase == .body ? .bodyTimeout : .headerTimeout, connection, path: nil)
        }
        for (connection, mark) in table.overdue(deadlines, now: now) {
            let refusal: Refusal? =
                switch mark.phase {
                case .fresh, .head: .headerTimeout
                case .body: .bodyTimeout
                case .reply, .idle, .handling, .expired: nil
                }
            guard expire(connection, mark, saying: refusal?.response) else { continue }
            // A client that connected and said nothing was not refused anything.
            if let refusal, mark.phase != .fresh { report(refusal, connection, path: nil) }
        }
    }

    var isFull: Bool { open.load(ordering: .relaxed) >= configuration.connections }

    /// Makes room for a new client when there is none: the connections that give way first are given up, a few at a time
    /// so that many new clients do not cost a look at every connection each.
    ///
    /// - Returns: whether a client may be taken on. Otherwise it is left waiting, and it is soon asked again: somebody who
    ///   must be served soon may be among those that wait.
    func makeRoom() -> Bool {
        // Again, because a connection may move on between being looked at and being given up.
        for _ in 0..<16 where isFull {
            let (candidates, isRoomSoon) = table.givingWay(
                max(1, configuration.connections / 64), now: monotonicMicroseconds())
            if candidates.isEmpty, isRoomSoon { return false }
            if candidates.isEmpty { break }
            for (connection, mark) in candidates {
                _ = expire(
                    connection, mark, saying: mark.phase == .head ? Refusal.connectionLimit.response : nil)
            }
        }
        return open.load(ordering: .relaxed) < configuration.connections + Self.surplus
    }

    private func expire(_ connection: Connection, _ mark: PhaseMark, saying answer: HTTPResponse?) -> Bool {
        let isExpired = connection.expire(seen: mark, lastWord: answer.map { serialized($0) })
        if isExpired { leave(connection) }
        return isExpired
    }

    // MARK: Sockets of closed connections

    func linger(_ connection: Connection) {
        connection.withDescriptor { descriptor in
            lingering.withLock { $0.keep(descriptor, now: monotonicMicroseconds()) }
        }
    }

    func drainLingering(now: UInt64) {
        lingering.withLock { $0.drain(now: now) }
    }

    func closeLingering() {
        lingering.withLock { $0.closeAll() }
    }
}
