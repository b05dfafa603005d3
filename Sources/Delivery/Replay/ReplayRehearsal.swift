internal import EventLog
package import Events
package import JSON
internal import Rules
internal import Targets

/// Where a rehearsal goes on: the range is the one of its first piece.
package struct ReplayCursor: Sendable, Hashable, LosslessStringConvertible {
    var position: LogPosition
    var end: LogPosition

    init(position: LogPosition, end: LogPosition) {
        self.position = position
        self.end = end
    }

    package init?(_ description: String) {
        let parts = description.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let position = LogPosition(String(parts[0])), let end = LogPosition(String(parts[1]))
        else { return nil }
        self.init(position: position, end: end)
    }

    package var description: String { "\(position)-\(end)" }
}

/// What a piece of a replay would send, without sending it.
package struct ReplayRehearsal: Sendable, Hashable {
    /// An event that would be sent.
    package struct Event: Sendable, Hashable {
        package var id: EventID
        package var source: String
        package var receivedAtMs: Int64
        package var type: String
        /// The type it had before it was read again; nil when that is the same.
        package var formerType: String?
        package var routes: [String]
    }

    /// Events looked at.
    package var events: Int64 = 0
    /// Those that would be sent.
    package var taken: Int64 = 0
    package var filtered: Int64 = 0
    package var skipped: Int64 = 0
    /// Of those that would be sent: how many have another type now.
    package var retyped: Int64 = 0
    /// Why events would be left out, and how many.
    package var reasons: [String: Int64] = [:]
    package var list: [Event] = []
    /// Where the next piece begins; nil at the end.
    package var next: ReplayCursor?

    /// `{events, taken, filtered, skipped, retyped, reasons: {TEXT: COUNT}, list: [{event, source, received_at, type, was,
    /// routes}], next}`
    package func appendJSON(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("events", events)
        writer.member("taken", taken)
        writer.member("filtered", filtered)
        writer.member("skipped", skipped)
        writer.member("retyped", retyped)
        writer.key("reasons")
        writer.beginObject()
        for (reason, count) in reasons.sorted(by: { $0.key < $1.key }) {
            writer.key(reason)
            writer.integer(count)
        }
        writer.endObject()
        writer.key("list")
        writer.beginArray()
        for event in list {
            writer.beginObject()
            writer.member("event", event.id.hex)
            writer.member("source", event.source)
            writer.member("received_at", Timestamp(milliseconds: event.receivedAtMs).text)
            writer.member("type", event.type)
            writer.member("was", event.formerType)
            writer.key("routes")
            writer.strings(event.routes)
            writer.endObject()
        }
        writer.endArray()
        writer.member("next", next.map(\.description))
        writer.endObject()
    }
}

/// What a rehearsal looks at, taken from the engine at one moment, so that looking holds up no delivery.
struct RehearsedReplay: Sendable {
    var request: ReplayRequest
    var plan: RulePlan
    var gate: AdmissionGate?
    var range: ReplayRange
    /// What the target has on its way.
    var unfinished: Set<RecordPlace>
    var decode: ReplayDecoder?

    /// Records one piece looks at.
    private static let records = 20_000
    private static let step = 512

    /// - Parameter limit: events listed.
    func piece(_ log: any LogReader, limit: Int) throws -> ReplayRehearsal {
        var selection = try ReplaySelection(request)
        var gate = gate
        var result = ReplayRehearsal()
        var position = range.start
        while !range.isAtEnd(position), result.events < Int64(Self.records) {
            let piece: ReplayRange.Piece
            do throws(LogFailure) {
                piece = try range.read(
                    log, from: position, maximumRecords: Self.step, maximumBytes: 4 << 20, isPatient: true)
            } catch {
                guard error.code == .expired else { throw error }
                piece = range.afterRetention(log, position)
            }
            for record in piece.records { look(at: record, &selection, &gate, limit, &result) }
            let lost = piece.gaps.reduce(0) { $0 + max(0, $1) }
            if lost > 0 { result.skip("the log no longer has the event", lost) }
            guard piece.next != position else { break }
            position = piece.next
        }
        if !range.isAtEnd(position) { result.next = ReplayCursor(position: position, end: range.end) }
        return result
    }

    private func look(
        at record: LogRecord, _ selection: inout ReplaySelection, _ gate: inout AdmissionGate?, _ limit: Int,
        _ result: inout ReplayRehearsal
    ) {
        guard !unfinished.contains(record.place) else {
            return result.skip("the event is still on its way to the target", 1)
        }
        guard !record.isRepeat else { return result.skip("the log holds the event twice", 1) }
        switch selection.verdict(on: record, plan: plan, gate: &gate, decode: decode) {
        case .taken(let event, let routes):
            result.events += 1
            result.taken += 1
            let former = event.type == record.type ? nil : record.type
            if former != nil { result.retyped += 1 }
            guard result.list.count < limit else { return }
            result.list.append(
                ReplayRehearsal.Event(
                    id: record.id, source: record.source, receivedAtMs: record.receivedAtMs, type: event.type,
                    formerType: former, routes: routes.map { plan.routes[$0].name }))
        case .filtered:
            result.events += 1
            result.filtered += 1
        case .refused(_, _, let reason):
            result.events += 1
            result.filtered += 1
            result.reasons["the target does not take it (\(reason.rawValue))", default: 0] += 1
        case .erased: result.skip("the event's content was removed", 1)
        case .skipped(let why): result.skip(why ?? "it is an event of Gatehouse's own", 1)
        }
    }
}

extension ReplayRehearsal {
    fileprivate mutating func skip(_ why: String, _ count: Int64) {
        events += count
        skipped += count
        reasons[why, default: 0] += count
    }
}
