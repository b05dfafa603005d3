package import Events
package import Kafka

/// How a log lies in Kafka: a topic for each canonical type, all of them with one count of partitions. A partition of the
/// log is one partition of one topic; its number is the same on every instance of the same version.
package struct LogLayout: Sendable, Hashable {
    /// Every topic's name begins with it and a dot.
    package let prefix: String
    /// Of each topic.
    package let partitions: Int

    package init(prefix: String, partitions: Int) {
        precondition(partitions > 0)
        self.prefix = prefix
        self.partitions = partitions
    }

    /// Partitions of the log: the length of its positions.
    package var count: Int { CanonicalType.allCases.count * partitions }

    /// The topic of a type.
    package func topic(_ type: CanonicalType) -> String { "\(prefix).\(type.rawValue)" }

    /// The type whose topic this is; nil for any other topic.
    package func type(ofTopic topic: String) -> CanonicalType? {
        guard topic.hasPrefix(prefix + ".") else { return nil }
        return CanonicalType(rawValue: String(topic.dropFirst(prefix.count + 1)))
    }

    /// The log's partition that a topic's partition is; nil for another topic, or a partition beyond the count.
    package func index(topic: String, partition: Int32) -> Int32? {
        guard let type = type(ofTopic: topic), 0..<Int32(partitions) ~= partition else { return nil }
        return index(type, shard: Int(partition))
    }

    package func index(_ type: CanonicalType, shard: Int) -> Int32 {
        Int32(Self.numbers[type, default: 0] * partitions + shard)
    }

    package func topicPartition(_ index: Int32) -> TopicPartition {
        TopicPartition(topic: topic(type(of: index)), partition: Int32(shard(of: index)))
    }

    package func type(of index: Int32) -> CanonicalType { CanonicalType.allCases[Int(index) / partitions] }

    /// The partition number within its topic. All partitions of one number are a shard: an instance owns them together.
    package func shard(of index: Int32) -> Int { Int(index) % partitions }

    /// The log's partitions of a shard.
    package func indices(ofShard shard: Int) -> [Int32] {
        CanonicalType.allCases.indices.map { Int32($0 * partitions + shard) }
    }

    package func isSystem(_ index: Int32) -> Bool { type(of: index).isSystem }

    private static let numbers = Dictionary(
        uniqueKeysWithValues: CanonicalType.allCases.enumerated().map { ($1, $0) })
}
