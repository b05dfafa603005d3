internal import Kafka

/// What of a topic is not as it must be, or not as it was asked for.
struct TopicComplaint: Equatable {
    var message: String
    /// Nothing may be written to the topic, or read from it, while it is so.
    var isFatal: Bool
}

extension WantedTopic {
    /// Compares a topic with what it is to be.
    /// - Parameter configuration: the topic's, by Kafka's names; what is not in it is not compared.
    func complaints(about topic: TopicDescription, _ configuration: [String: String]) -> [TopicComplaint] {
        var complaints: [TopicComplaint] = []
        func complain(_ message: String, isFatal: Bool) {
            complaints.append(TopicComplaint(message: "the topic \(name) \(message)", isFatal: isFatal))
        }
        if topic.partitions != partitions {
            complain(
                "has \(topic.partitions) partitions, and \(partitions) are wanted: say `partitions: \(topic.partitions)` "
                    + "where all topics of this prefix have so many, or take another prefix; events of one visitor "
                    + "would change their partition if more were added", isFatal: true)
        }
        if let found = configuration["cleanup.policy"], found != cleanup.rawValue {
            let harm =
                cleanup == .delete
                ? "events of the same visitor would remove each other"
                : "what is not finished would be removed when it is old"
            complain(
                "has cleanup.policy=\(found), and \(cleanup.rawValue) is wanted, or \(harm): \(alter("cleanup.policy"))",
                isFatal: true)
        }
        if let found = configuration["message.timestamp.type"], found != "CreateTime" {
            complain(
                "has message.timestamp.type=\(found), so that it does not keep when an event was received: "
                    + alter("message.timestamp.type"), isFatal: false)
        }
        if let found = configuration["max.message.bytes"].flatMap({ Int($0) }), let maximumRecordBytes,
            found < maximumRecordBytes
        {
            complain(
                "takes records of \(found) bytes, and \(maximumRecordBytes) are wanted: larger events would be refused; "
                    + "\(alter("max.message.bytes")), or say `message.max.bytes` in `properties:`", isFatal: false)
        }
        if let replication, topic.replication < replication {
            complain(
                "has \(topic.replication) \(topic.replication == 1 ? "copy" : "copies") of each event, and \(replication) "
                    + "are wanted: kafka-reassign-partitions.sh adds copies, or say `replication: \(topic.replication)`",
                isFatal: false)
        }
        complaints += complaintsAboutSyncing(topic, configuration)
        return complaints
    }

    private func complaintsAboutSyncing(
        _ topic: TopicDescription, _ configuration: [String: String]
    ) -> [TopicComplaint] {
        guard let found = configuration["min.insync.replicas"].flatMap({ Int($0) }) else { return [] }
        if found > topic.replication {
            return [
                TopicComplaint(
                    message: "the topic \(name) has min.insync.replicas=\(found) and \(topic.replication) "
                        + "\(topic.replication == 1 ? "copy" : "copies") of each event: nothing could ever be "
                        + "acknowledged; make min.insync.replicas smaller or add copies", isFatal: true)
            ]
        }
        guard let minimumInSyncReplicas, found < minimumInSyncReplicas else { return [] }
        return [
            TopicComplaint(
                message: "the topic \(name) has min.insync.replicas=\(found), and \(minimumInSyncReplicas) is wanted: "
                    + "an event would be acknowledged with fewer copies; " + alter("min.insync.replicas"),
                isFatal: false)
        ]
    }

    private func alter(_ key: String) -> String {
        "kafka-configs.sh --alter --entity-type topics --entity-name \(name) --add-config \(key)="
            + (configuration[key] ?? "")
    }
}
