import TestSupport

/// Brokers take seconds to start: on a thread of their own, they hold up nothing else of a test.
extension KafkaCluster {
    static func started(brokers: Int) async throws -> KafkaCluster {
        try await blocking { try KafkaCluster.start(brokers: brokers) }
    }

    func kill(_ broker: Int) async throws { try await blocking { try self.kill(broker) } }
    func pause(_ broker: Int) async throws { try await blocking { try self.pause(broker) } }
    func resume(_ broker: Int) async throws { try await blocking { try self.resume(broker) } }
    func restart(_ broker: Int) async throws { try await blocking { try self.restart(broker) } }
    func startAgain() async throws { try await blocking { try self.startAgain() } }
}
