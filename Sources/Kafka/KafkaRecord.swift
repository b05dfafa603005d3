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
    /// Records of one key go to one partition, in order.
    package var key: [UInt8]?
    package var headers: [Header]
    package var value: [UInt8]

    package init(topic: String, key: [UInt8]? = nil, headers: [Header] = [], value: [UInt8]) {
        self.topic = topic
        self.key = key
        self.headers = headers
        self.value = value
    }
}

/// Where a record was kept.
package struct KafkaPlace: Sendable, Hashable {
    package var partition: Int32
    package var offset: Int64
}
