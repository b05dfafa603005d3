internal import Logging
internal import Threads

/// Reads every record once after the start, slowly, and names what does not match its checksum: damage is found before
/// somebody needs the record. SQLite's own check would hold one snapshot for the whole of it.
final class LogVerifier: @unchecked Sendable {  // `isStopped` is touched inside the monitor only.
    private let reading: LogReading
    private let logger: Logger
    private let monitor = Monitor()
    private var isStopped = false
    private var thread: Thread?

    /// At most 1 000 records or 1 MiB a step, then a pause.
    private static let pauseNanoseconds: Int64 = 50_000_000
    private static let firstPauseNanoseconds: Int64 = 2_000_000_000
    /// Damage that is listed one by one.
    private static let maximumListed = 20

    init(reading: LogReading, logger: Logger) {
        self.reading = reading
        self.logger = logger
    }

    func start() {
        let bounds = reading.state.bounds
        guard bounds.beginning < bounds.next else { return }
        thread = Thread.indispensable(name: "log-verifier") { [self] in run(bounds.beginning, bounds.next) }
    }

    /// Returns when the thread has ended.
    func stop() {
        monitor.withLock {
            isStopped = true
            monitor.broadcast()
        }
        thread?.join()
        thread = nil
    }

    private func run(_ first: Int64, _ end: Int64) {
        var next = first
        var pause = Self.firstPauseNanoseconds
        while next < end, !isStopping(after: pause) {
            pause = Self.pauseNanoseconds
            do throws(LogFailure) {
                let batch = try reading.read(
                    from: LogReading.position(next), maximumRecords: LogConnection.maximumRows,
                    maximumBytes: LogConnection.maximumBytes)
                next = batch.next.offsets[0]
            } catch {
                switch error.code {
                case .damaged:
                    report(error.message)
                    next += 1
                case .expired: next = max(next, reading.state.bounds.beginning)
                default: pause = Self.firstPauseNanoseconds
                }
            }
        }
    }

    private func isStopping(after pause: Int64) -> Bool {
        let deadline = monotonicNanoseconds() + pause
        return monitor.withLock {
            while !isStopped, monotonicNanoseconds() < deadline { monitor.wait(untilNanoseconds: deadline) }
            return isStopped
        }
    }

    private func report(_ message: String) {
        var isListed = false
        reading.state.update {
            isListed = $0.damage.count < Self.maximumListed && !$0.damage.contains(message)
            if isListed { $0.damage.append(message) }
        }
        if isListed { logger.error("log_damaged", message) }
    }
}
