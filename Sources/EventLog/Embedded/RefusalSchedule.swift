internal import SQLite

/// What follows when a commit fails: what whoever appends is told, and when it is tried again. Times are nanoseconds of
/// the monotonic clock.
struct RefusalSchedule {
    enum Problem {
        /// Unfinished events take the space there is.
        case logIsFull
        case database(SQLiteError)
    }

    struct Decision {
        let failure: LogFailure
        /// Nobody knows what is on disk: the connection is not used again.
        let isConnectionLost: Bool
        /// Whether it is to be logged: not every half second while a disk is full.
        let isNews: Bool
    }

    private let maximumBytes: Int64
    /// While appending is refused: when to try again.
    private(set) var until: Int64?
    private var reopenDelay = Self.firstReopenDelay
    private var reported: (failure: LogFailure, at: Int64)?
    private var isReportOpen = false

    private static let firstReopenDelay: Int64 = 1_000_000_000
    private static let longestReopenDelay: Int64 = 5_000_000_000
    private static let reportEvery: Int64 = 60_000_000_000

    init(maximumBytes: Int64) {
        self.maximumBytes = maximumBytes
    }

    mutating func refuse(_ problem: Problem, now: Int64) -> Decision {
        var isConnectionLost = false
        let failure: LogFailure
        switch problem {
        case .logIsFull:
            failure = LogFailure(
                .full, "unfinished events fill the \(maximumBytes) bytes of `retention.size`", retryAfterSeconds: 5)
            until = now + 250_000_000
        case .database(let error) where error.code == .full:
            failure = LogFailure(.unavailable, "the disk is full", retryAfterSeconds: 2)
            until = now + 500_000_000
        case .database(let error) where error.code == .busy:
            failure = LogFailure(.unavailable, "another program holds the log's file")
            until = now + 100_000_000
        case .database(let error):
            failure = LogFailure(.unavailable, "the disk failed: \(error)", retryAfterSeconds: 5)
            isConnectionLost = true
            delayReopening(now: now)
        }
        let isNews = failure != reported?.failure || now - (reported?.at ?? now) > Self.reportEvery
        if isNews {
            reported = (failure, now)
            isReportOpen = true
        }
        return Decision(failure: failure, isConnectionLost: isConnectionLost, isNews: isNews)
    }

    /// After a failed attempt to open the database: the next one, at growing distances.
    mutating func delayReopening(now: Int64) {
        until = now + reopenDelay
        reopenDelay = min(reopenDelay * 2, Self.longestReopenDelay)
    }

    mutating func didReopen() {
        reopenDelay = Self.firstReopenDelay
    }

    /// It is tried again.
    mutating func end() {
        until = nil
    }

    /// It went well.
    /// - Returns: whether that is to be logged: the failure was.
    mutating func didRecover() -> Bool {
        defer { isReportOpen = false }
        return isReportOpen
    }
}
