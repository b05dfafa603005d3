package import Delivery
package import EventLog
internal import JSON
package import KafkaLog

/// A replay as the instances know it: what was asked for, and how it ended. How far it has come is a record of its own.
package struct ReplayRecord: ControlRecord, Hashable {
    package var request: ReplayRequest
    /// Who asked for it.
    package var by: String
    /// The wall clock, milliseconds.
    package var createdAtMs: Int64
    package var start: LogPosition
    /// Beyond the last event of its range.
    package var end: LogPosition
    /// Events of its range.
    package var events: Int64
    /// Of those, what it had not looked at when it was cancelled.
    package var left: Int64 = 0
    package var phase = MirroredReplay.Phase.active
    /// Why it was cancelled.
    package var cancelled: String?
    /// The wall clock, milliseconds.
    package var endedAtMs: Int64?

    package init(
        request: ReplayRequest, by: String, createdAtMs: Int64, start: LogPosition, end: LogPosition, events: Int64
    ) {
        self.request = request
        self.by = by
        self.createdAtMs = createdAtMs
        self.start = start
        self.end = end
        self.events = events
    }

    package init(_ replay: MirroredReplay) {
        self.init(
            request: replay.request, by: replay.by, createdAtMs: replay.createdAtMs, start: replay.start,
            end: replay.end, events: replay.events)
        left = replay.left
        phase = replay.phase
        cancelled = replay.cancelled
        endedAtMs = replay.endedAtMs
    }

    /// - Parameter cursor: how far it has come.
    func mirrored(_ number: Int64, _ cursor: TargetCursor) -> MirroredReplay {
        var replay = MirroredReplay(
            number: number, request: request, by: by, createdAtMs: createdAtMs, start: start, end: end,
            events: events, cursor: cursor)
        replay.left = left
        replay.phase = phase
        replay.cancelled = cancelled
        replay.endedAtMs = endedAtMs
        return replay
    }

    package func encoded(_ layout: LogLayout) -> [UInt8] {
        var json = JSONWriter(reserving: 2048)
        json.beginObject()
        json.member("target", request.target)
        json.member("since", request.sinceMs)
        json.optional("until", request.untilMs)
        json.optional("route", request.route)
        json.optional("where", request.condition)
        json.optional("team", request.team)
        json.key("decode_again")
        json.bool(request.decodesAgain)
        json.member("by", by)
        json.member("created_at", createdAtMs)
        json.member("start", start.description)
        json.member("end", end.description)
        json.member("events", events)
        json.member("left", left)
        json.member("phase", Int64(phase.rawValue))
        json.optional("cancelled", cancelled)
        json.optional("ended_at", endedAtMs)
        json.endObject()
        return json.bytes
    }

    package init(_ json: [UInt8], _ decoder: StateDecoder) throws(StateRecordError) {
        let fields = try decoder.fields(json)
        request = ReplayRequest(
            target: try fields.text("target"), sinceMs: try fields.integer("since"),
            untilMs: fields.optionalInteger("until"), route: fields.optionalText("route"),
            condition: fields.optionalText("where"), team: fields.optionalText("team"),
            decodesAgain: fields.bool("decode_again"))
        by = fields.optionalText("by") ?? ""
        createdAtMs = fields.optionalInteger("created_at") ?? 0
        guard let start = LogPosition(try fields.text("start")), start.offsets.count == decoder.layout.count else {
            throw fields.missing("start")
        }
        guard let end = LogPosition(try fields.text("end")), end.offsets.count == decoder.layout.count else {
            throw fields.missing("end")
        }
        self.start = start
        self.end = end
        events = try fields.integer("events")
        left = fields.optionalInteger("left") ?? 0
        phase = MirroredReplay.Phase(rawValue: fields.count("phase")) ?? .active
        cancelled = fields.optionalText("cancelled")
        endedAtMs = fields.optionalInteger("ended_at")
    }
}
