import Foundation
import TestSupport

/// The topics of a log as another client, kcat, reads them.
struct KafkaTopics: Sendable {
    /// A record of the log, by what its topic tells.
    struct Event: Sendable {
        var topic: String
        var partition: Int
        /// Among the records of its partition.
        var place: Int
        var record: ReadRecord

        var id: String { record.headers["ce_id"] ?? "" }
        var type: String { record.headers["ce_type"] ?? "" }
    }

    let brokers: [String]
    let prefix: String

    init(_ cluster: KafkaCluster, prefix: String) {
        brokers = cluster.servers
        self.prefix = prefix
    }

    /// All of the cluster, with their partitions.
    func all() async throws -> [String: Int] {
        let brokers = brokers
        let (status, output) = try await blocking {
            try run("kcat", ["-L", "-J", "-b", brokers.joined(separator: ",")])
        }
        guard status == 0, let line = output.split(separator: "\n").last(where: { $0.hasPrefix("{") }) else {
            throw Failure("kcat -L: \(output)")
        }
        let list = try JSON.object(String(line))["topics"] as? [[String: Any]] ?? []
        return Dictionary(
            uniqueKeysWithValues: list.map {
                ($0["topic"] as? String ?? "", ($0["partitions"] as? [Any])?.count ?? 0)
            })
    }

    /// Those of senders' events: the prefix and a canonical type.
    func ofEvents() async throws -> [String] {
        let others = ["retry.", "dead.", "system."].map { "\(prefix).\($0)" }
        let single = ["attempts", "audit", "cursors", "quarantine"].map { "\(prefix).\($0)" }
        return try await all().keys.filter { topic in
            topic.hasPrefix(prefix + ".") && !single.contains(topic) && !others.contains { topic.hasPrefix($0) }
        }.sorted()
    }

    func read(_ topic: String) async throws -> [ReadRecord] {
        let (name, brokers) = (topic, brokers)
        return try await blocking {
            try readTopic(name, brokers, untilMs: Int64(Date.now.timeIntervalSince1970 * 1000))
        }
    }

    /// Every record of every topic of events, repeats included, in the order of each partition.
    func events() async throws -> [Event] {
        let topics = try await ofEvents()
        // All at once: a reader does little but wait until it has come to the end.
        return try await withThrowingTaskGroup(of: [Event].self) { group in
            for topic in topics { group.addTask { try await events(of: topic) } }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    private func events(of topic: String) async throws -> [Event] {
        var places: [Int: Int] = [:]
        return try await read(topic).map { record in
            let place = places[record.partition, default: 0]
            places[record.partition] = place + 1
            return Event(topic: topic, partition: record.partition, place: place, record: record)
        }
    }
}
