/// A partition of a topic.
package struct TopicPartition: Hashable, Sendable, CustomStringConvertible {
    package var topic: String
    package var partition: Int32

    package init(topic: String, partition: Int32) {
        self.topic = topic
        self.partition = partition
    }

    package var description: String { "\(topic)/\(partition)" }
}

/// A record as it stands in a topic.
package struct KafkaMessage: Sendable, Hashable {
    package var topic: String
    package var partition: Int32
    package var offset: Int64
    /// Milliseconds since 1970 UTC; nil where the record has none.
    package var timestampMs: Int64?
    package var key: [UInt8]?
    /// Nil: a tombstone.
    package var value: [UInt8]?
    /// In their order; a name may occur more than once. A header without a value reads as an empty one.
    package var headers: [KafkaRecord.Header]

    package init(
        topic: String, partition: Int32, offset: Int64, timestampMs: Int64? = nil, key: [UInt8]? = nil,
        value: [UInt8]? = nil, headers: [KafkaRecord.Header] = []
    ) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.timestampMs = timestampMs
        self.key = key
        self.value = value
        self.headers = headers
    }

    package var topicPartition: TopicPartition { TopicPartition(topic: topic, partition: partition) }
}

/// How far a consumer group has come in a partition.
package struct KafkaCommit: Sendable, Hashable {
    /// Of the next record to be taken.
    package var offset: Int64
    /// Whatever who committed it wrote beside it; brokers take 4096 bytes by default.
    package var metadata: String?

    package init(offset: Int64, metadata: String? = nil) {
        self.offset = offset
        self.metadata = metadata
    }
}
