package import Events

/// The partition of a key as Kafka's own clients choose it: murmur2 over the key (`DefaultPartitioner`, librdkafka's
/// `murmur2_random`), so that other programs that publish to these topics keep a key together with ours.
package enum Partitioner {
    /// - Parameter count: partitions of the topic.
    package static func partition(ofKey key: [UInt8], count: Int) -> Int32 {
        Int32(Int(murmur2(key) & 0x7FFF_FFFF) % count)
    }

    static func murmur2(_ bytes: [UInt8]) -> UInt32 {
        let multiplier: UInt32 = 0x5BD1_E995
        var hash: UInt32 = 0x9747_B28C ^ UInt32(truncatingIfNeeded: bytes.count)
        var index = 0
        while index + 4 <= bytes.count {
            var word =
                UInt32(bytes[index]) | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2]) << 16
                | UInt32(bytes[index + 3]) << 24
            word &*= multiplier
            word ^= word >> 24
            word &*= multiplier
            hash = hash &* multiplier ^ word
            index += 4
        }
        if index < bytes.count {
            for (place, byte) in bytes[index...].enumerated() { hash ^= UInt32(byte) << UInt32(8 * place) }
            hash &*= multiplier
        }
        hash ^= hash >> 13
        hash &*= multiplier
        return hash ^ hash >> 15
    }
}

extension LogLayout {
    /// The log's partition that events of this type and key stand in.
    package func index(_ type: CanonicalType, key: [UInt8]) -> Int32 {
        index(type, shard: Int(Partitioner.partition(ofKey: key, count: partitions)))
    }
}
