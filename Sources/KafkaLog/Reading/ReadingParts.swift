internal import EventLog
internal import Kafka
internal import Logging
internal import Synchronization

/// What all readers of a log have in common.
struct ReadingParts: Sendable {
    var kafka: KafkaConfiguration
    let layout: LogLayout
    let admin: KafkaAdmin
    let ends: LogEnds
    let finder: RepeatFinder
    let foreign: ForeignRecords
    let logger: Logger
    /// Of the reader at the end.
    var onStatistics: (@Sendable ([UInt8]) -> Void)?

    /// A record that somebody else wrote is told of, and given as one that nobody can read.
    func decoded(_ message: KafkaMessage, _ place: RecordPlace) -> LogRecord {
        do throws(LogFailure) {
            return try RecordCodec.decode(message, layout: layout)
        } catch {
            foreign.found(error.message, logger)
            return RecordCodec.substitute(for: message, at: place, type: layout.type(of: place.partition))
        }
    }
}

/// Tells of records that Gatehouse did not write: of the first at once, then how many there were, once a minute.
final class ForeignRecords: Sendable {
    private struct State {
        var count = 0
        var toldAt: ContinuousClock.Instant?
    }

    private let state = Mutex(State())

    func found(_ message: String, _ logger: Logger) {
        let count = state.withLock { state -> Int? in
            state.count += 1
            if let toldAt = state.toldAt, toldAt.duration(to: .now) < .seconds(60) { return nil }
            defer { state = State(count: 0, toldAt: .now) }
            return state.count
        }
        guard let count else { return }
        logger.error(
            "foreign_record",
            "A topic of the log has a record that is no event of Gatehouse's: \(message). It becomes a dead letter of "
                + "every target.", ["count": LogValue(count)])
    }
}
