internal import Glibc

extension LogReader {
    /// As `read`, for whoever takes an empty batch for the end: a log that is far away may have nothing at hand for a moment
    /// although there is more.
    /// - Throws: also `unavailable`, when nothing has come for ten seconds.
    package func readPatiently(
        from position: LogPosition, maximumRecords: Int, maximumBytes: Int
    ) throws(LogFailure) -> LogBatch {
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            let batch = try read(from: position, maximumRecords: maximumRecords, maximumBytes: maximumBytes)
            if batch.next != position || position.isAtEnd(of: head) { return batch }
            guard .now < deadline else {
                throw LogFailure(.unavailable, "the log gives none of the events that follow: try again later")
            }
            usleep(20_000)
        }
    }
}
