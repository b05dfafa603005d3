import Foundation
import TestSupport

/// The topics of a log as other clients read them.
struct KafkaTopics: Sendable {
    enum Reader: CaseIterable, Sendable {
        case kcat
        /// A member of a consumer group, by confluent-kafka in Python.
        case confluent
    }

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
    let reader: Reader

    init(_ cluster: KafkaCluster, prefix: String, reader: Reader = .kcat) {
        brokers = cluster.servers
        self.prefix = prefix
        self.reader = reader
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

    func read(_ topic: String) async throws -> [ReadRecord] { try await read([topic])[topic] ?? [] }

    private func read(_ topics: [String]) async throws -> [String: [ReadRecord]] {
        let brokers = brokers
        switch reader {
        case .kcat:
            let end = Int64(Date.now.timeIntervalSince1970 * 1000)
            // All at once: a reader does little but wait until it has come to the end.
            return try await withThrowingTaskGroup(of: (String, [ReadRecord]).self) { group in
                for topic in topics {
                    group.addTask {
                        (topic, try await blocking { try readTopic(topic, brokers, untilMs: end) })
                    }
                }
                return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
        case .confluent:
            let names = topics.map { $0.replacing(".", with: "\\.") }.joined(separator: "|")
            return try await blocking { try consumeTopics("^(\(names))$", brokers) }
        }
    }

    /// Every record of every topic of events, repeats included, in the order of each partition.
    func events() async throws -> [Event] {
        try await read(try await ofEvents()).flatMap { topic, records in
            var places: [Int: Int] = [:]
            return records.map { record in
                let place = places[record.partition, default: 0]
                places[record.partition] = place + 1
                return Event(topic: topic, partition: record.partition, place: place, record: record)
            }
        }
    }
}
