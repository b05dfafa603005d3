internal import Synchronization

/// What a connection is doing, and since when.
enum ConnectionPhase: UInt64, Sendable, CaseIterable {
    /// Connected; no request line came yet.
    case fresh
    /// A request line came; its header section is not complete.
    case head
    /// The body is being read.
    case body
    /// The request is complete and not answered.
    case handling
    /// The answer is being sent.
    case reply
    /// Answered; no request line came since.
    case idle
    /// Given up by the keeper: nothing more may be sent.
    case expired
}

/// A phase and the time it began, in one word, so that the connection's thread and the keeper agree on it without a lock.
struct PhaseMark: Sendable, Equatable {
    let word: UInt64

    init(word: UInt64) { self.word = word }

    init(_ phase: ConnectionPhase, since microseconds: UInt64) {
        word = microseconds << 3 | phase.rawValue
    }

    var phase: ConnectionPhase { ConnectionPhase(rawValue: word & 7) ?? .expired }

    /// Monotonic microseconds.
    var since: UInt64 { word >> 3 }
}

/// How long each phase may last, microseconds.
struct PhaseDeadlines: Sendable {
    let header: UInt64
    let body: UInt64
    let reply: UInt64
    let idle: UInt64

    init(_ configuration: HTTPServerConfiguration) {
        header = configuration.headerDeadline.microseconds
        body = configuration.bodyDeadline.microseconds
        reply = configuration.replyDeadline.microseconds
        idle = configuration.idleTimeout.microseconds
    }

    /// Whether a connection with this mark has had its time.
    func isOver(_ mark: PhaseMark, now: UInt64) -> Bool {
        let limit: UInt64
        switch mark.phase {
        case .fresh, .head: limit = header
        case .body: limit = body
        case .reply: limit = reply
        case .idle: limit = idle
        case .handling, .expired: return false
        }
        return now >= mark.since && now - mark.since >= limit
    }

    /// How often to look, so that no deadline is passed by more than a quarter of the shortest; microseconds.
    var tick: UInt64 { min(250_000, max(10_000, min(header, body, reply, idle) / 4)) }
}

extension PhaseMark {
    /// How long a client that has connected has to say what it wants before it gives way to others; microseconds.
    static let grace: UInt64 = 500_000

    /// Whether its request line may be on its way.
    func hasJustBegun(now: UInt64) -> Bool {
        (phase == .fresh || phase == .head) && now < since + Self.grace
    }

    /// The order in which connections give way to new clients: idle ones first, then those that have not completed their
    /// header section, each longest first. `nil`: it does not give way.
    var givesWay: UInt64? {
        switch phase {
        case .idle: since
        case .fresh, .head: since | 1 << 62
        case .body, .handling, .reply, .expired: nil
        }
    }
}
