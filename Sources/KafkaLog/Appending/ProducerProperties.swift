internal import Cryptography
internal import EventLog
internal import Events
internal import Kafka

/// How the log's producer differs from any other.
enum ProducerProperties {
    /// The producer gives nothing up: what it did not get to Kafka would have to be published again behind what it did.
    /// librdkafka's longest, 24 days.
    static let timeout = Duration.milliseconds(Int64(Int32.max))

    /// - Returns: the operator's properties with ours where the operator says nothing.
    static func complete(_ configuration: KafkaConfiguration) -> KafkaConfiguration {
        var completed = configuration
        for name in givingUp { completed.properties[name] = nil }
        completed.properties.merge(defaults) { operators, _ in operators }
        return completed
    }

    private static let givingUp = ["message.timeout.ms", "delivery.timeout.ms"]

    private static let defaults = [
        // A broker that hangs is left after this, and one that is back is found this soon.
        "socket.timeout.ms": "10000", "request.timeout.ms": "5000", "reconnect.backoff.max.ms": "1000",
        "topic.metadata.refresh.interval.ms": "30000",
        // More than the desk ever hands over.
        "queue.buffering.max.messages": "100000", "queue.buffering.max.kbytes": "262144",
        "message.max.bytes": "\(KafkaLogOptions.defaultRecordBytes)",
    ]
}

extension KafkaRecord {
    /// What it takes of a batch, uncompressed and rounded up.
    var byteCount: Int {
        headers.reduce(128 + (key?.count ?? 0) + (value?.count ?? 0)) { $0 + $1.name.utf8.count + $1.value.count + 8 }
    }
}

extension QuarantinedElement {
    /// An event that Kafka refused after it was acknowledged.
    init(deadLetter record: NewRecord, reason: String) {
        let isSmall = record.payload.count <= 64 << 10
        self.init(
            source: record.source, index: 0, receivedAtMs: record.receivedAtMs, reason: "kafka_refused: \(reason)",
            bytes: isSmall ? record.payload : nil, size: record.payload.count,
            sha256: Hex.encode(SHA256.hash(record.payload)), key: "\(record.source)\n\(record.id.hex)")
    }
}

extension Duration {
    /// Saturates beyond 290 years.
    var nanoseconds: Int64 {
        let (product, overflow) = components.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : product.addingReportingOverflow(components.attoseconds / 1_000_000_000).partialValue
    }
}
