internal import EventLog
internal import JSON
internal import KafkaLog
package import Metrics
internal import Synchronization

/// What librdkafka says of its clients, and how far the deliveries are behind, as metrics.
package final class KafkaMetrics: Sendable {
    /// Of one client.
    private struct Client: Sendable {
        var records = 0.0
        var bytes = 0.0
        /// Average round trips, in seconds, by the broker's name.
        var roundTrips: [String: Double] = [:]
    }

    /// How far one partition of the log is from being delivered to a target.
    package struct Lag: Sendable, Hashable {
        package var target: String
        package var topic: String
        package var partition: Int32
        package var records: Int64
    }

    private let clients = Mutex<[String: Client]>([:])

    package init(_ registry: MetricsRegistry) {
        registry.collected("gatehouse_kafka_queue_records", "Records that wait for Kafka's acknowledgement.") {
            [weak self] in self?.series { [([], $0.records)] } ?? []
        }
        registry.collected("gatehouse_kafka_queue_bytes", "Bytes of the records that wait for Kafka's acknowledgement.")
        {
            [weak self] in self?.series { [([], $0.bytes)] } ?? []
        }
        registry.collected("gatehouse_kafka_round_trip_seconds", "From a request to a broker's answer, on average.") {
            [weak self] in
            self?.series { client in
                client.roundTrips.sorted { $0.key < $1.key }.map { ([("broker", $0.key)], $0.value) }
            } ?? []
        }
    }

    package func collectLag(_ registry: MetricsRegistry, _ lag: @escaping @Sendable () -> [Lag]) {
        registry.collected(
            "gatehouse_kafka_lag_records", "Records between a target's committed place and the end of the partition."
        ) {
            lag().map { lag in
                (
                    [("target", lag.target), ("topic", lag.topic), ("partition", "\(lag.partition)")],
                    Double(lag.records)
                )
            }
        }
    }

    private func series(
        _ values: (Client) -> [(MetricsRegistry.Labels, Double)]
    ) -> [(MetricsRegistry.Labels, Double)] {
        clients.withLock { $0 }.sorted { $0.key < $1.key }.flatMap { name, client in
            values(client).map { ([("client", name)] + $0.0, $0.1) }
        }
    }

    /// For the client's statistics.
    /// - Parameter client: what the client is for, such as `log` or `state`.
    package func listener(_ client: String) -> @Sendable ([UInt8]) -> Void {
        { [weak self] json in self?.take(json, of: client) }
    }

    /// - Parameter json: librdkafka's STATISTICS.md.
    func take(_ json: [UInt8], of name: String) {
        guard let tape = try? JSONParser(maximumDepth: 32, maximumBytes: 8 << 20).parse(json) else { return }
        func number(_ object: JSONIndex, _ member: StaticString) -> Double {
            tape.member(object, member).flatMap { tape.double($0) } ?? 0
        }
        var client = Client()
        client.records = number(tape.root, "msg_cnt")
        client.bytes = number(tape.root, "msg_size")
        if let brokers = tape.member(tape.root, "brokers") {
            for (_, broker) in tape.members(brokers) {
                // Those it has only heard of, or knows by an address alone, have no number.
                guard let id = tape.member(broker, "nodeid").flatMap({ tape.integer($0) }), id >= 0,
                    let times = tape.member(broker, "rtt"), number(times, "cnt") > 0
                else { continue }
                client.roundTrips["\(id)"] = number(times, "avg") / 1_000_000
            }
        }
        clients.withLock { $0[name] = client }
    }
}
