import Foundation
import Synchronization
import TestSupport

/// Brokers take seconds to start: on a thread of their own, they hold up nothing else of a test.
extension KafkaCluster {
    private static let common = Mutex<KafkaCluster?>(nil)

    /// One broker for all tests that leave it running, each with a prefix of its own.
    static func shared() async throws -> KafkaCluster {
        try await blocking {
            try common.withLock { common in
                // A test that failed may have left it as it was then.
                if let common { try common.startAgain() }
                let cluster = try common ?? .start()
                common = cluster
                return cluster
            }
        }
    }

    /// A prefix that no other test has.
    static func newPrefix(_ name: String) -> String { "\(name)-\(UUID().uuidString.prefix(6).lowercased())" }

    static func started(brokers: Int) async throws -> KafkaCluster {
        try await blocking { try KafkaCluster.start(brokers: brokers) }
    }

    func kill(_ broker: Int) async throws { try await blocking { try self.kill(broker) } }
    func pause(_ broker: Int) async throws { try await blocking { try self.pause(broker) } }
    func resume(_ broker: Int) async throws { try await blocking { try self.resume(broker) } }
    func restart(_ broker: Int) async throws { try await blocking { try self.restart(broker) } }
    func startAgain() async throws { try await blocking { try self.startAgain() } }
}
