internal import Configuration
internal import Delivery
internal import EventLog
internal import Events
internal import Ingest
internal import Synchronization

/// Reads kept events again with the sources of a running instance, for replays.
final class SourceReader: Sendable {
    private struct Settings {
        var sources: [String: SourceConfiguration] = [:]
        var sites = SiteDirectory()
    }

    private let settings = Mutex(Settings())

    /// Takes note of what is at work now.
    func adopt(_ configuration: Configuration) {
        let sources = Dictionary(configuration.sources.map { ($0.name, $0) }) { first, _ in first }
        settings.withLock { $0 = Settings(sources: sources, sites: configuration.intake.sites) }
    }

    func decodeAgain(_ record: LogRecord, _ event: EventView) -> DecodedAgain {
        let (source, sites) = settings.withLock { ($0.sources[record.source], $0.sites) }
        guard let source else { return .impossible("no source of this name is configured any more") }
        let receivedAt = Timestamp(milliseconds: record.receivedAtMs)
        guard let decoded = source.decodeAgain(event, id: record.id, receivedAt: receivedAt, sites: sites) else {
            return .impossible("the sender's own text was not kept")
        }
        return .event(payload: decoded.payload, type: decoded.type.rawValue)
    }
}
