internal import Targets

extension TargetPolicy {
    /// Every commit names what is in flight.
    private static let maximumConcurrency = 1024

    init(_ settings: TargetSettings) {
        concurrency = min(max(1, settings.concurrency), Self.maximumConcurrency)
        attempts = max(1, settings.attempts)
        giveUpAfterMs = settings.giveUpAfter.map { max(0, $0.milliseconds) }
    }
}
