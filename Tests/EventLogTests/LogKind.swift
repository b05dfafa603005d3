import EventLog
import Events
import Foundation
import Kafka
import KafkaLog
import Logging
import Synchronization
import TestSupport

/// The logs that the conformance suite holds for.
enum LogKind: String, CaseIterable, Sendable {
    case embedded, memory, kafka

    /// Kafka where there is one to test with.
    static let allCases: [LogKind] = KafkaCluster.isAvailable ? [.embedded, .memory, .kafka] : [.embedded, .memory]

    /// Whether a single record can be removed. Kafka removes by age alone.
    var erasesRecords: Bool { self != .kafka }

    static let erasing = allCases.filter(\.erasesRecords)

    func open(in folder: TemporaryFolder) throws -> any EventLog & EventIndex {
        switch self {
        case .embedded: try SQLiteEventLog.open(folder: folder.path)
        case .memory: MemoryEventLog(partitions: 3)
        case .kafka: try KafkaTestLog.open(in: folder)
        }
    }
}

/// One broker for all tests, with topics of its own for each.
private enum KafkaTestLog {
    private static let count = Mutex(0)

    static func open(in folder: TemporaryFolder) throws -> KafkaEventLog {
        let number = count.withLock { count in
            count += 1
            return count
        }
        return try KafkaEventLog.open(
            KafkaLogOptions(
                kafka: KafkaConfiguration(brokers: KafkaCluster.common().servers, clientID: "test"),
                prefix: "test\(number)",
                partitions: 3,
                // On a slow machine nothing goes to the spool: what is acknowledged is in the log.
                acknowledgementLimit: .seconds(60),
                types: [.visitorSignin, .visitorSignout, .systemSourceSilent], spoolFolder: folder.path),
            logger: .silent)
    }
}
