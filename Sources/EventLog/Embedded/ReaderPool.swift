internal import SQLite

/// A few read connections, lent one at a time. While the pool is paused, or all are out, borrowers wait.
///
/// Unchecked: everything below is touched inside the monitor only, and what is lent is its borrower's.
final class ReaderPool: @unchecked Sendable {
    private let monitor = Monitor()
    private let path: String
    private let vfs: String?
    private let maximum: Int
    private var idle: [LogConnection] = []
    private var lent = 0
    private var isPaused = false
    private var isClosed = false

    init(path: String, maximum: Int = 6, vfs: String? = nil) {
        self.path = path
        self.vfs = vfs
        self.maximum = maximum
    }

    /// Lends a connection for the length of `body`, which is to end its statements before anything else.
    func withConnection<Result>(_ body: (LogConnection) throws -> Result) throws(LogFailure) -> Result {
        let connection = try borrow()
        defer { giveBack(connection) }
        do {
            return try body(connection)
        } catch let error as LogFailure {
            throw error
        } catch let error as SQLiteError where error.code == .damaged {
            throw LogFailure(.damaged, "\(path): \(error)")
        } catch {
            throw LogFailure(.unavailable, "\(path): \(error)")
        }
    }

    private func borrow() throws(LogFailure) -> LogConnection {
        do {
            let waiting = try monitor.withLock { () throws -> LogConnection? in
                while !isClosed, isPaused || (idle.isEmpty && lent >= maximum) { monitor.wait() }
                guard !isClosed else { throw LogFailure(.unavailable, "the log is closed") }
                lent += 1
                return idle.popLast()
            }
            if let waiting { return waiting }
            do {
                return try LogConnection(path: path, vfs: vfs)
            } catch {
                monitor.withLock { lent -= 1 }
                monitor.broadcast()
                throw error
            }
        } catch let failure as LogFailure {
            throw failure
        } catch {
            throw LogFailure(.unavailable, "\(error)")
        }
    }

    private func giveBack(_ connection: LogConnection) {
        monitor.withLock {
            lent -= 1
            if !isClosed { idle.append(connection) }
            monitor.broadcast()
        }
    }

    /// Waits until nothing is lent; from then on borrowers wait.
    func pause() {
        monitor.withLock {
            isPaused = true
            while lent > 0 { monitor.wait() }
        }
    }

    func resume() {
        monitor.withLock {
            isPaused = false
            monitor.broadcast()
        }
    }

    /// Closes what is idle; the next borrower opens anew. While paused that is all.
    func closeAll() {
        monitor.withLock { idle = [] }
    }

    /// Waits for what is lent, closes, and refuses from then on.
    func close() {
        monitor.withLock {
            isClosed = true
            monitor.broadcast()
            while lent > 0 { monitor.wait() }
            idle = []
        }
    }
}
