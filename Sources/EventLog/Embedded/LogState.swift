internal import Synchronization

/// What readers and the writer share: the bounds of what may be read, and what is counted. Small, and locked briefly.
final class LogState: Sendable {
    struct Bounds: Sendable {
        /// The oldest sequence kept.
        var beginning: Int64
        /// Beyond the newest durable one.
        var next: Int64
        var losses: [LossRange]

        /// Whether every sequence of the range was given up.
        func areLost(_ range: Range<Int64>) -> Bool {
            var first = range.lowerBound
            for loss in losses where loss.first <= first && first <= loss.last { first = loss.last + 1 }
            return first >= range.upperBound
        }

        /// How many sequences of the range were given up.
        func lost(in range: Range<Int64>) -> Int64 {
            losses.reduce(0) { sum, loss in
                sum + max(0, min(loss.last + 1, range.upperBound) - max(loss.first, range.lowerBound))
            }
        }
    }

    private struct Content {
        var bounds: Bounds
        var statistics = LogStatistics()
        var callbacks: [@Sendable () -> Void] = []
        var lowestUnfinished: (@Sendable () -> LogPosition)?
    }

    private let content: Mutex<Content>

    /// Upper bounds of the commit times that are counted, in microseconds.
    static let commitBounds: [Int64] = [250, 500, 1000, 2000, 5000, 10_000, 25_000, 100_000, 1_000_000]

    init(bounds: Bounds) {
        var content = Content(bounds: bounds)
        let bounds: [Int64?] = Self.commitBounds + [nil]
        content.statistics.commitMicroseconds = bounds.map { LogStatistics.CommitTimes(atMost: $0, count: 0) }
        self.content = Mutex(content)
    }

    var bounds: Bounds { content.withLock { $0.bounds } }
    var statistics: LogStatistics { content.withLock { $0.statistics } }
    var callbacks: [@Sendable () -> Void] { content.withLock { $0.callbacks } }
    /// Nothing may be removed while this is nil.
    var lowestUnfinished: (@Sendable () -> LogPosition)? { content.withLock { $0.lowestUnfinished } }

    func addCallback(_ callback: @escaping @Sendable () -> Void) {
        content.withLock { $0.callbacks.append(callback) }
    }

    func setLowestUnfinished(_ closure: @escaping @Sendable () -> LogPosition) {
        content.withLock { $0.lowestUnfinished = closure }
    }

    func update(_ change: (inout LogStatistics) -> Void) {
        content.withLock { change(&$0.statistics) }
    }

    /// After a commit: the new bounds and what it counted.
    func publish(_ bounds: Bounds, _ change: (inout LogStatistics) -> Void) {
        content.withLock {
            $0.bounds = bounds
            change(&$0.statistics)
        }
    }
}
