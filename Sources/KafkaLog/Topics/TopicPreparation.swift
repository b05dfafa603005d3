internal import Kafka
internal import Logging
internal import Synchronization

/// The topics that are wanted from the start, where no broker answered when the log was opened: they are created and
/// compared as soon as one does. Until then events go to the spool.
final class TopicPreparation: Sendable {
    private let topics: TopicAdministration
    private let logger: Logger
    private let state: Mutex<KafkaLogError?>

    /// - Parameter failure: what came of the first try; nil: the topics are as they must be.
    init(_ topics: TopicAdministration, _ failure: KafkaLogError?, logger: Logger) {
        self.topics = topics
        self.logger = logger
        state = Mutex(failure)
        guard let failure else { return }
        logger.warning(
            "kafka_unreachable",
            "No broker answers: events are kept in the spool, and nothing is delivered, until one does. "
                + failure.message, ["reason": .string(failure.code.rawValue)])
    }

    /// What is wrong still; nil when nothing is.
    var problem: KafkaLogError? { state.withLock { $0 } }

    /// Does nothing once the topics are as they must be.
    func tryAgain() throws(KafkaFailure) {
        guard let before = problem else { return }
        do throws(KafkaLogError) {
            try topics.prepare()
            state.withLock { $0 = nil }
            logger.info("kafka_reachable", "Brokers answer, and the topics are as they must be.")
        } catch {
            state.withLock { $0 = error }
            if error.code != .unreachable, error != before {
                logger.error(
                    "kafka_topics_unfit", "Events stay in the spool, and nothing is delivered: \(error.message)",
                    ["reason": .string(error.code.rawValue)])
            }
            throw KafkaFailure(code: error.code.rawValue, message: error.message)
        }
    }
}
