internal import CRdKafka

// Where partitions begin and end, and what stands in them at a time.

extension KafkaAdmin {
    /// The offsets between which partitions have records: of the first there is, and of the next to come. Partitions that
    /// do not exist are left out.
    package func ends(
        of partitions: [TopicPartition]
    ) throws(KafkaFailure) -> [TopicPartition: (low: Int64, high: Int64)] {
        let existing = try existing(partitions)
        let lows = try offsets(existing, Int64(RD_KAFKA_OFFSET_BEGINNING))
        let highs = try offsets(existing, Int64(RD_KAFKA_OFFSET_END))
        var ends: [TopicPartition: (low: Int64, high: Int64)] = [:]
        for (partition, low) in lows {
            // What was asked first may be older than a removal or a record that came between.
            if let high = highs[partition] { ends[partition] = (min(low, high), high) }
        }
        return ends
    }

    /// The first offsets whose records are as young as this or younger; the end where there is none. Partitions that do not
    /// exist are left out.
    /// - Parameter timeMs: milliseconds since 1970 UTC.
    package func offsets(at timeMs: Int64, of partitions: [TopicPartition]) throws(KafkaFailure) -> [TopicPartition:
        Int64]
    {
        let existing = try existing(partitions)
        // Asked for first: a record that comes meanwhile is not missed.
        let highs = try offsets(existing, Int64(RD_KAFKA_OFFSET_END))
        let found = try offsets(existing, max(0, timeMs))
        return found.reduce(into: [:]) { $0[$1.key] = $1.value >= 0 ? $1.value : highs[$1.key] }
    }

    /// librdkafka waits for a topic that does not exist until the time is over.
    private func existing(_ partitions: [TopicPartition]) throws(KafkaFailure) -> [TopicPartition] {
        guard !partitions.isEmpty else { return [] }
        let topics = try topics()
        return partitions.filter { $0.partition >= 0 && Int($0.partition) < topics[$0.topic]?.partitions ?? 0 }
    }

    /// - Parameter time: milliseconds since 1970 UTC, or one of librdkafka's names for the beginning and the end, which are
    ///   the protocol's own (ListOffsets).
    private func offsets(_ partitions: [TopicPartition], _ time: Int64) throws(KafkaFailure) -> [TopicPartition: Int64]
    {
        guard !partitions.isEmpty else { return [:] }
        return try retrying { limit throws(KafkaFailure) in
            let list = PartitionList(Dictionary(partitions.map { ($0, time) }) { first, _ in first })
            // A leader that has gone keeps its followers waiting: the next try may know another.
            let share = max(.seconds(1), limit / 3)
            try client.check(
                unsafe rd_kafka_offsets_for_times(client.handle, list.pointer, min(limit, share).wholeMilliseconds))
            var offsets: [TopicPartition: Int64] = [:]
            for element in list.elements {
                try client.check(element.error)
                offsets[element.partition] = element.offset
            }
            return offsets
        }
    }
}
