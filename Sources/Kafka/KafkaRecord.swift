/// A record to be published.
package struct KafkaRecord: Sendable, Hashable {
    package struct Header: Sendable, Hashable {
        package var name: String
        package var value: [UInt8]

        package init(_ name: String, _ value: some Sequence<UInt8>) {
            self.name = name
            self.value = Array(value)
        }

        package init(_ name: String, _ value: String) {
            self.init(name, value.utf8)
        }
    }

    package var topic: String
    /// Nil: chosen by the key as Java's client does (murmur2), or at random where there is none.
    package var partition: Int32?
    /// Milliseconds since 1970 UTC; nil: when it is published.
    package var timestampMs: Int64?
    /// Records of one key go to one partition, in order.
    package var key: [UInt8]?
    package var headers: [Header]
    /// Nil: a tombstone, by which a compacted topic forgets the key.
    package var value: [UInt8]?

    package init(
        topic: String, partition: Int32? = nil, timestampMs: Int64? = nil, key: [UInt8]? = nil, headers: [Header] = [],
        value: [UInt8]?
    ) {
        self.topic = topic
        self.partition = partition
        self.timestampMs = timestampMs
        self.key = key
        self.headers = headers
        self.value = value
    }
}

/// Where a record was kept.
package struct KafkaPlace: Sendable, Hashable {
    package var partition: Int32
    package var offset: Int64

    package init(partition: Int32, offset: Int64) {
        self.partition = partition
        self.offset = offset
    }
}
