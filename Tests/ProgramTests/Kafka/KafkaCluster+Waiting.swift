import Foundation
import Synchronization
import TestSupport

/// Brokers take seconds to start: on a thread of their own, they hold up nothing else of a test.
extension KafkaCluster {
    private static let common = Mutex<(cluster: KafkaCluster, uses: Int)?>(nil)

    /// Tests that one broker serves: each leaves some 250 partitions, and its memory holds about 3 000.
    private static let usesOfOne = 8

    /// A broker that tests leave running for each other, each with a prefix of its own.
    static func shared() async throws -> KafkaCluster {
        try await blocking {
            try common.withLock { common in
                if let (cluster, uses) = common, uses < usesOfOne {
                    // A test that failed may have left it as it was then.
                    try cluster.startAgain()
                    common = (cluster, uses + 1)
                    return cluster
                }
                let cluster = try KafkaCluster.start()
                common = (cluster, 1)
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
