internal import Targets

extension TargetPolicy {
    /// Every commit names what is in flight.
    private static let maximumConcurrency = 1024

    /// Of one target's batches.
    private static let maximumBytesInFlight = 16 << 20

    init(_ settings: TargetSettings) {
        concurrency = min(max(1, settings.concurrency), Self.maximumConcurrency)
        attempts = max(1, settings.attempts)
        giveUpAfterMs = settings.giveUpAfter.map { max(0, $0.milliseconds) }
        rate = settings.rate.map { TokenBucket.Rate(amount: Int64($0.amount), perMs: $0.period.milliseconds) }
        ordersByKey = settings.order == .key
        joinsKeys = settings.mergesRecords
        resend = settings.resend
        if let resend { resendForMs = resend.time.milliseconds }
        guard let batch = settings.batch else { return }
        self.batch = BatchPolicy(
            maximumEvents: batch.maximumEvents, maximumBytes: batch.maximumBytes, everyMs: batch.every.milliseconds)
        concurrency = min(concurrency, max(1, Self.maximumBytesInFlight / batch.maximumBytes))
    }
}
