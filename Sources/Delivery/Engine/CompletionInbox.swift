internal import Synchronization
internal import Targets

/// How a request ended, on its way to the delivery thread.
struct Completion: Sendable {
    struct Part: Sendable {
        var ticket: AttemptTicket
        var attempt: Int
    }

    enum Content: Sendable {
        case one(Part, DeliveryOutcome)
        case several([Part], BatchOutcome)
        /// No outcome, but news of a connection, of the target of this name, and when it was told.
        case connection(String, ConnectionNews, Moment)

        /// Whether the target took all of it.
        var isDelivered: Bool {
            switch self {
            case .one(_, .delivered), .several(_, .all(.delivered)): true
            default: false
            }
        }
    }

    var target: Int64
    var sink: Int
    var content: Content
}

/// What targets' threads report. Bounded by the requests under way.
final class CompletionInbox: Sendable {
    private let completions = Mutex<[Completion]>([])
    private let wakeUp: WakeUp

    init(_ wakeUp: WakeUp) {
        self.wakeUp = wakeUp
    }

    func post(_ completion: Completion) {
        completions.withLock { $0.append(completion) }
        wakeUp.signal()
    }

    /// Everything posted; `emptied` is used as the storage of what comes next.
    func take(_ emptied: inout [Completion]) {
        emptied.removeAll(keepingCapacity: true)
        completions.withLock { swap(&$0, &emptied) }
    }
}
