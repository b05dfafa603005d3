import CRdKafka

/// librdkafka's own mock of a Kafka cluster: real ports, and errors at will. It keeps 5 MiB a partition, drops no repeats and
/// speaks no TLS.
///
/// Unchecked: its functions may be called from any thread.
@safe package final class MockCluster: @unchecked Sendable {
    private let client: OpaquePointer
    private let cluster: OpaquePointer
    /// `host:port` of each broker.
    package let brokers: [String]

    package struct Unavailable: Error {}

    package init(brokers count: Int32 = 1) throws {
        var text = [CChar](repeating: 0, count: 512)
        guard let client = unsafe rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), &text, text.count),
            let cluster = unsafe rd_kafka_mock_cluster_new(client, count),
            let addresses = unsafe rd_kafka_mock_cluster_bootstraps(cluster)
        else { throw Unavailable() }
        unsafe (self.client, self.cluster) = (client, cluster)
        brokers = unsafe String(cString: addresses).split(separator: ",").map(String.init)
    }

    deinit {
        unsafe rd_kafka_mock_cluster_destroy(cluster)
        unsafe rd_kafka_destroy(client)
    }

    package func create(_ topic: String, partitions: Int32) {
        _ = unsafe rd_kafka_mock_topic_create(cluster, topic, partitions, 1)
    }

    /// The next requests to publish are answered with these errors, in turn.
    package func refuseToPublish(_ errors: [PublishError]) {
        let produceRequest: Int16 = 0
        unsafe rd_kafka_mock_push_request_errors_array(cluster, produceRequest, errors.count, errors.map(\.code))
    }

    package enum PublishError: Sendable {
        case notLeader, timedOut, unauthorised, tooFewReplicas
        /// Ends an idempotent producer for good.
        case outOfOrder

        fileprivate var code: rd_kafka_resp_err_t {
            switch self {
            case .notLeader: RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION
            case .timedOut: RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT
            case .unauthorised: RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED
            case .outOfOrder: RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER
            case .tooFewReplicas: RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND
            }
        }
    }

    /// No broker can be reached.
    package func goDown() {
        for broker in 1...Int32(brokers.count) { _ = unsafe rd_kafka_mock_broker_set_down(cluster, broker) }
    }

    /// All brokers can be reached again.
    package func comeUp() {
        for broker in 1...Int32(brokers.count) { _ = unsafe rd_kafka_mock_broker_set_up(cluster, broker) }
    }

    /// Every broker answers this much later.
    package func delayAnswers(milliseconds: Int32) {
        for broker in 1...Int32(brokers.count) {
            _ = unsafe rd_kafka_mock_broker_set_rtt(cluster, broker, milliseconds)
        }
    }
}
