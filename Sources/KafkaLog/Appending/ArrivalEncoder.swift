internal import EventLog
internal import Kafka

/// Makes records of what is to be published.
struct ArrivalEncoder: Sendable {
    let lanes: Lanes
    let isStructured: Bool
    /// Of a record that Kafka takes.
    let maximumBytes: Int

    /// - Throws: `tooLarge` for what Kafka would never take.
    func arrival(_ item: LogItem) throws(LogFailure) -> AppendDesk.Arrival {
        guard let lane = lanes.lane(of: item) else {
            throw LogFailure(.unavailable, "an event of this type has no topic")
        }
        let record = try encode(item, lane: lane)
        let size = record.byteCount
        guard size <= maximumBytes else {
            throw LogFailure(
                .tooLarge, "the event takes \(size) bytes, and Kafka \(maximumBytes) at most (`message.max.bytes`)")
        }
        return AppendDesk.Arrival(item: item, lane: lane, record: record)
    }

    /// What was read of the spool.
    func row(_ spooled: SpooledItem, lane: Int) -> AppendDesk.Row {
        var record = Result<KafkaRecord, LogFailure>.failure(LogFailure(.damaged, "the row cannot be read"))
        if let item = spooled.item {
            do throws(LogFailure) {
                record = .success(try encode(item, lane: lane))
            } catch {
                record = .failure(error)
            }
        }
        return AppendDesk.Row(sequence: spooled.sequence, item: spooled.item, record: record)
    }

    private func encode(_ item: LogItem, lane: Int) throws(LogFailure) -> KafkaRecord {
        switch item {
        case .event(let record):
            var encoded = try RecordCodec.encode(record, layout: lanes.layout, isStructured: isStructured)
            encoded.partition = Int32(lanes.layout.shard(of: Int32(lane)))
            return encoded
        case .quarantined(let element):
            return QuarantineCodec.encode(element, topic: StateTopics(prefix: lanes.layout.prefix).quarantine)
        }
    }
}
