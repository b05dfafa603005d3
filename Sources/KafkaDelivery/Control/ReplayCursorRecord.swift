package import Delivery
internal import EventLog
internal import JSON
package import KafkaLog

/// How far a replay is, and everything that is not in the retry and dead-letter topics.
package struct ReplayCursorRecord: ControlRecord, Hashable {
    package var cursor: TargetCursor
    /// The effects of every record of the replay up to this one are in the counters.
    package var stamp: RecordStamp

    package init(cursor: TargetCursor, stamp: RecordStamp) {
        self.cursor = cursor
        self.stamp = stamp
    }

    package func encoded(_ layout: LogLayout) -> [UInt8] {
        var json = JSONWriter(reserving: 1024)
        json.beginObject()
        json.member("position", cursor.position.description)
        json.member("n", stamp)
        json.key("holes")
        json.beginArray()
        for hole in cursor.holes { json.value(hole, layout) }
        json.endArray()
        json.member("delivered", cursor.counters.delivered)
        json.member("filtered", cursor.counters.filtered)
        json.member("dead", cursor.counters.dead)
        json.member("discarded", cursor.counters.discarded)
        json.member("expired", cursor.counters.expired)
        json.member("skipped", cursor.counters.skipped)
        json.member("system", cursor.counters.system)
        json.member("refused", cursor.counters.refused.text)
        json.optional("failing_since", cursor.failingSinceMs)
        json.endObject()
        return json.bytes
    }

    package init(_ json: [UInt8], _ decoder: StateDecoder) throws(StateRecordError) {
        let fields = try decoder.fields(json)
        guard let position = LogPosition(try fields.text("position")), position.offsets.count == decoder.layout.count
        else { throw fields.missing("position") }
        cursor = TargetCursor(position: position)
        cursor.holes = try fields.places("holes")
        cursor.counters.delivered = fields.optionalInteger("delivered") ?? 0
        cursor.counters.filtered = fields.optionalInteger("filtered") ?? 0
        cursor.counters.dead = fields.optionalInteger("dead") ?? 0
        cursor.counters.discarded = fields.optionalInteger("discarded") ?? 0
        cursor.counters.expired = fields.optionalInteger("expired") ?? 0
        cursor.counters.skipped = fields.optionalInteger("skipped") ?? 0
        cursor.counters.system = fields.optionalInteger("system") ?? 0
        cursor.counters.refused = RefusedCounts(fields.optionalText("refused") ?? "")
        cursor.failingSinceMs = fields.optionalInteger("failing_since")
        stamp = fields.stamp("n")
    }
}
