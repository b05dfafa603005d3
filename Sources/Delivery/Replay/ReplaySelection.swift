package import EventLog
package import Events
internal import JSON
internal import Rules
internal import Targets
internal import YAML

/// What the sender's own text of an event is with today's settings of its source.
package enum DecodedAgain: Sendable, Hashable {
    /// The canonical event's text and type; the id, the source and the time of receipt are those of old.
    case event(payload: [UInt8], type: String)
    /// Why it cannot be read again, for people.
    case impossible(String)
}

/// Reads an event's `original` again, with today's settings of the record's source.
package typealias ReplayDecoder = @Sendable (_ record: LogRecord, _ event: EventView) -> DecodedAgain

/// Decides which events of its range a replay takes.
struct ReplaySelection {
    enum Verdict {
        /// - routes: places in the plan.
        case taken(LoggedEvent, routes: [Int])
        case filtered
        /// Routes take it, and the target itself does not.
        case refused(LoggedEvent, routes: [Int], FilteredReason)
        case erased
        /// None of the replay's business.
        /// - why: where that is worth telling.
        case skipped(why: String?)
    }

    let request: ReplayRequest
    private let filter: RuleFilter?
    private var filtering = MatchScratch()
    private var matching = MatchScratch()
    private let parser = JSONParser()

    /// - Throws: for a condition that cannot be read.
    init(_ request: ReplayRequest) throws(DeliveryStoreError) {
        self.request = request
        do throws(Diagnostics) {
            filter = try request.condition.map { (text) throws(Diagnostics) in try RuleFilter(text) }
        } catch {
            throw DeliveryStoreError(error.description)
        }
    }

    /// - Parameters:
    ///   - gate: of the target; nil: it takes whatever routes bring it.
    ///   - decode: reads an event again, where that is asked for.
    mutating func verdict(
        on record: LogRecord, plan: RulePlan, gate: inout AdmissionGate?, decode: ReplayDecoder?
    ) -> Verdict {
        if record.isSystem { return .skipped(why: nil) }
        if record.isErased { return .erased }
        guard isInTime(record) else { return .filtered }
        guard let view = try? EventView(parsing: record.payload, with: parser) else {
            return .skipped(why: "the event cannot be read")
        }
        guard request.decodesAgain else { return verdict(on: LoggedEvent(record, view: view), view, plan, &gate) }
        switch decode?(record, view) {
        case .event(let payload, let type):
            guard let view = try? EventView(parsing: payload, with: parser) else {
                return .skipped(why: "the event cannot be read again")
            }
            let event = LoggedEvent(
                place: record.place, id: record.id, type: type, source: record.source,
                receivedAtMs: record.receivedAtMs, payload: payload, view: view)
            return verdict(on: event, view, plan, &gate)
        case .impossible(let why): return .skipped(why: why)
        case nil: return .skipped(why: "nothing here can read it again")
        }
    }

    private mutating func verdict(
        on event: LoggedEvent, _ view: EventView, _ plan: RulePlan, _ gate: inout AdmissionGate?
    ) -> Verdict {
        if let filter, !filter.takes(view, scratch: &filtering) { return .filtered }
        let match = plan.match(view, scratch: &matching).first { $0.target == request.target }
        let routes = (match?.routes ?? []).filter { isMeant(plan.routes[$0]) }
        if routes.isEmpty { return .filtered }
        if let refusal = gate?.refusal(of: view) { return .refused(event, routes: routes, refusal) }
        return .taken(event, routes: routes)
    }

    private func isInTime(_ record: LogRecord) -> Bool {
        record.receivedAtMs >= request.sinceMs && request.untilMs.map { record.receivedAtMs < $0 } ?? true
    }

    /// Whether the replay goes through this route.
    func isMeant(_ route: Route) -> Bool {
        (request.route.map { $0 == route.name } ?? true) && (request.team.map { $0 == route.team } ?? true)
    }
}

/// A part of the log.
struct ReplayRange: Sendable, Hashable {
    var start: LogPosition
    /// Beyond the last event.
    var end: LogPosition

    /// One read of it, nothing beyond its end.
    struct Piece {
        var records: [LogRecord]
        var next: LogPosition
        /// Records of each partition that the log has lost.
        var gaps: [Int64]
    }

    /// - Parameters:
    ///   - position: within the range.
    ///   - isPatient: waits where the log gives nothing for a moment although there is more, and then fails. Otherwise the
    ///     piece is empty.
    func read(
        _ log: any LogReader, from position: LogPosition, maximumRecords: Int, maximumBytes: Int,
        isPatient: Bool = false
    ) throws(LogFailure) -> Piece {
        // What is beyond the end is not wanted: nothing is read of partitions that have come there.
        var from = position
        for partition in from.offsets.indices where from.offsets[partition] >= end.offsets[partition] {
            from.offsets[partition] = LogPosition.unread
        }
        let batch =
            isPatient
            ? try log.readPatiently(from: from, maximumRecords: maximumRecords, maximumBytes: maximumBytes)
            : try log.read(from: from, maximumRecords: maximumRecords, maximumBytes: maximumBytes)
        var piece = Piece(records: batch.records.filter { end.isPast($0.place) }, next: batch.next, gaps: [])
        for partition in from.offsets.indices {
            let next = max(position.offsets[partition], min(batch.next.offsets[partition], end.offsets[partition]))
            let count = piece.records.count { Int($0.place.partition) == partition }
            piece.next.offsets[partition] = next
            piece.gaps.append(next - position.offsets[partition] - Int64(count))
        }
        return piece
    }

    /// Where retention has left off, when it has gone past a position; with how many it took of each partition.
    func afterRetention(_ log: any LogReader, _ position: LogPosition) -> Piece {
        let beginning = log.beginning
        var piece = Piece(records: [], next: position, gaps: [])
        for partition in position.offsets.indices {
            let kept = min(beginning.offsets[partition], end.offsets[partition])
            let next = max(position.offsets[partition], kept)
            piece.next.offsets[partition] = next
            piece.gaps.append(next - position.offsets[partition])
        }
        return piece
    }

    func isAtEnd(_ position: LogPosition) -> Bool {
        zip(position.offsets, end.offsets).allSatisfy { $0 >= $1 }
    }
}
