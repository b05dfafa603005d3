package import EventLog
internal import Events
internal import JSON
package import Targets

/// What an attempt sent, as far as it can still be told.
package enum PastRequest: Sendable {
    /// Rendered again with the configuration of then, and byte for byte what was sent.
    case reproduced(TargetRendition)
    /// It cannot be rendered again, or is something else then.
    /// - kept: the beginning of what was sent, where the attempt failed, and the size of all of it.
    case lost(why: String, kept: (bytes: [UInt8], size: Int)?)
}

/// Tells again what was sent: history keeps digests and configurations, and renders from the event that is in the log.
package struct RequestHistory: Sendable {
    private let log: any LogReader & EventIndex
    private let store: DeliveryStore
    private let hostname: String
    private let settings: @Sendable (String) -> TargetSettings?

    /// - Parameters:
    ///   - hostname: the machine's.
    ///   - settings: a target's configuration now, by its name.
    package init(
        log: any LogReader & EventIndex, store: DeliveryStore, hostname: String,
        settings: @escaping @Sendable (String) -> TargetSettings?
    ) {
        self.log = log
        self.store = store
        self.hostname = hostname
        self.settings = settings
    }

    /// For what was sent by configurations without secrets of their own.
    package init(log: any LogReader & EventIndex, store: DeliveryStore) {
        self.init(log: log, store: store, hostname: "") { _ in nil }
    }

    /// The texts of one batch that are read again.
    private static let maximumBytes = 64 << 20

    /// Nil when nothing was sent, or nothing is known of it.
    /// - Parameter delivery: what the attempt is of.
    package func request(of attempt: AttemptRow, _ delivery: DeliveryRow) throws -> PastRequest? {
        guard let request = attempt.request else { return nil }
        do throws(Gap) {
            return .reproduced(try render(request, attempt, delivery))
        } catch {
            return .lost(why: error.why, kept: try store.sentBody(of: request))
        }
    }

    /// What was answered; nil when there was no answer, or it is no longer kept.
    package func answer(of request: AttemptRow.Request) throws -> Answer? { try store.answer(of: request) }

    /// Why something cannot be rendered again.
    private struct Gap: Error {
        let why: String

        init(_ why: String) {
            self.why = why
        }
    }

    private func render(
        _ request: AttemptRow.Request, _ attempt: AttemptRow, _ delivery: DeliveryRow
    ) throws(Gap) -> TargetRendition {
        let blueprint = try blueprint(request, delivery)
        let parser = JSONParser()
        var events: [OutgoingEvent] = []
        for text in try texts(request, delivery) {
            guard let view = try? EventView(parsing: text, with: parser) else {
                throw Gap(
                    text.isEmpty ? "the event's text was erased on request" : "the event's text cannot be read any more"
                )
            }
            events.append(
                OutgoingEvent(event: view, routes: attempt.routes, attempt: attempt.number, replay: delivery.replay))
        }
        let rendition: TargetRendition?
        do throws(RenderingError) {
            rendition = try blueprint.sent(
                events, hostname: hostname, timestampSeconds: request.signedAtSeconds, digest: request.digest)
        } catch {
            throw Gap("it cannot be rendered again: \(error.message)")
        }
        guard let rendition else {
            throw Gap(
                delivery.replay == nil
                    ? "what is rendered from the event now is not what was sent then"
                    : "what is rendered from the event now is not what the replay sent then")
        }
        return rendition
    }

    private func blueprint(
        _ request: AttemptRow.Request, _ delivery: DeliveryRow
    ) throws(Gap) -> any TargetBlueprint {
        guard let version = try? store.version(of: request) else {
            throw Gap("the configuration of then is no longer kept")
        }
        do throws(TargetVersionError) {
            return try version.blueprint(present: settings(delivery.target))
        } catch {
            throw Gap(error.message)
        }
    }

    // MARK: the events

    private func texts(_ request: AttemptRow.Request, _ delivery: DeliveryRow) throws(Gap) -> [[UInt8]] {
        guard request.isBatch else {
            if let text = read([delivery.place])?.first { return [text] }
            if let copy = try? store.copy(at: delivery.place) { return [copy] }
            throw Gap("the event is no longer in the log")
        }
        guard let members = try? store.members(of: request) else {
            throw Gap("which events went together is no longer known")
        }
        guard let texts = read(members) else {
            throw Gap("not all events that went together are in the log any more")
        }
        return texts
    }

    /// The records' texts in the order of the places, read in runs; nil when one is not there.
    private func read(_ places: [RecordPlace]) -> [[UInt8]]? {
        let sorted = places.sorted { ($0.partition, $0.offset) < ($1.partition, $1.offset) }
        let head = log.head
        var texts: [RecordPlace: [UInt8]] = [:]
        var bytes = 0
        var index = 0
        while index < sorted.count {
            let first = sorted[index]
            guard head.isPast(first) else { return nil }
            var length = 1
            while length < 500, index + length < sorted.count, sorted[index + length].partition == first.partition,
                sorted[index + length].offset == first.offset + Int64(length)
            {
                length += 1
            }
            var position = LogPosition.none(count: head.offsets.count)
            position.offsets[Int(first.partition)] = first.offset
            guard let batch = try? log.readPatiently(from: position, maximumRecords: length, maximumBytes: 4 << 20),
                batch.records.first?.place == first
            else { return nil }
            for record in batch.records {
                guard index < sorted.count, record.place == sorted[index] else { break }
                texts[record.place] = record.payload
                bytes += record.payload.count
                index += 1
            }
            guard bytes <= Self.maximumBytes else { return nil }
        }
        return places.compactMap { texts[$0] }
    }
}
