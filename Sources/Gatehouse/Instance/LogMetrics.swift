internal import EventLog
internal import Metrics

/// What the log counts, as metrics.
enum LogMetrics {
    private static func gauge(
        _ name: String, _ help: String, _ log: any EventLog, in metrics: MetricsRegistry,
        _ value: @escaping @Sendable (LogStatistics) -> Double?
    ) {
        metrics.collected(name, help) { value(log.statistics()).map { [([], $0)] } ?? [] }
    }

    /// Of a log that has its own files.
    static func registerSizes(_ log: any EventLog, in metrics: MetricsRegistry) {
        gauge("gatehouse_log_size_bytes", "Space the log uses.", log, in: metrics) { Double($0.bytes) }
        gauge("gatehouse_log_size_limit_bytes", "Space the log may use.", log, in: metrics) {
            $0.maximumBytes.map(Double.init)
        }
        gauge("gatehouse_log_wal_size_bytes", "Size of the log's write-ahead file.", log, in: metrics) {
            Double($0.walBytes)
        }
    }

    /// Of any log.
    static func register(_ log: any EventLog, in metrics: MetricsRegistry) {
        gauge("gatehouse_log_queued_batches", "Appends that wait to be committed.", log, in: metrics) {
            Double($0.queuedBatches)
        }
        gauge("gatehouse_log_available", "1 while events can be kept.", log, in: metrics) {
            $0.unavailable == nil ? 1 : 0
        }
        metrics.collected("gatehouse_log_commits_total", "Commits, each with one sync.", kind: "counter") {
            [([], Double(log.statistics().commits))]
        }
        metrics.collected(
            "gatehouse_source_last_accepted_timestamp_seconds", "When each source's last event was accepted."
        ) {
            log.statistics().sources.sorted { $0.key < $1.key }.compactMap { name, source in
                source.lastAcceptedMs.map { ([("source", name)], Double($0) / 1000) }
            }
        }
        metrics.collected(
            "gatehouse_log_commit_duration_seconds_total", "Time spent in commits, sync included.", kind: "counter"
        ) {
            [([], Double(log.statistics().totalCommitMicroseconds) / 1_000_000)]
        }
    }
}
