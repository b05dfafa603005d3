internal import CRdKafka

/// Owns one librdkafka client.
///
/// Unchecked: librdkafka's functions may be called from any thread, and the handle is destroyed when nobody has this any
/// more.
@safe final class Client: @unchecked Sendable {
    enum Kind {
        case producer, consumer
    }

    let handle: OpaquePointer
    let context: ClientContext

    /// - Parameters:
    ///   - defaults: may be changed by the operator's properties.
    ///   - settled: may not.
    ///   - events: kinds that come by a queue in place of a callback.
    /// - Throws: `configuration` when librdkafka does not take a property.
    init(
        _ kind: Kind, _ configuration: KafkaConfiguration, defaults: [(String, String)],
        settled: [(String, String)] = [], events: Int32 = 0, context: ClientContext, hasStatistics: Bool = false
    ) throws(KafkaFailure) {
        self.context = context
        let properties = KafkaProperties()
        let first = [
            ("bootstrap.servers", configuration.brokers.joined(separator: ",")), ("client.id", configuration.clientID),
            ("log_level", "0"), ("statistics.interval.ms", hasStatistics ? "5000" : "0"),
        ]
        let own = configuration.sortedProperties.filter { name, _ in
            !Self.reserved.contains(name) && !settled.contains { $0.0 == name }
        }
        for (name, value) in first + defaults + own + settled {
            if let flaw = properties.set(name, value) {
                throw KafkaFailure(code: "configuration", message: "\(name): \(flaw)")
            }
        }
        guard let pointer = unsafe properties.pointer else {
            throw KafkaFailure(code: "configuration", message: "there is no memory for a Kafka client")
        }
        context.install(in: properties)
        unsafe rd_kafka_conf_set_events(pointer, events)
        var text = [CChar](repeating: 0, count: 512)
        let type = kind == .producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER
        guard let handle = unsafe rd_kafka_new(type, pointer, &text, text.count) else {
            let words = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            let message = Redaction(configuration.properties).apply(words)
            throw KafkaFailure(code: "configuration", message: "the Kafka client does not start: \(message)")
        }
        properties.takenOver()
        unsafe self.handle = unsafe handle
        if kind == .consumer {
            // Errors and statistics then come with what is consumed, to the one thread that polls.
            _ = unsafe rd_kafka_poll_set_consumer(handle)
        }
    }

    deinit {
        // A consumer that is to leave its group in order has done so before.
        unsafe rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
    }

    /// A name for a member that outlives it would make two instances with one configuration take turns.
    private static let reserved: Set<String> = ["group.instance.id"]
}
