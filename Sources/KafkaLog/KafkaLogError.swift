package import Kafka

/// Why a log in Kafka could not be opened. The message is for the person who starts the program.
package struct KafkaLogError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// librdkafka does not take what is configured.
        case configuration
        /// No broker answers, or none permits what is needed.
        case unreachable
        /// A topic is missing, and is not to be created.
        case topicMissing = "topic_missing"
        /// A topic is not as it must be.
        case topicUnfit = "topic_unfit"
        /// A topic could not be created.
        case topicRefused = "topic_refused"
        /// The spool cannot be opened.
        case spool
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// - Parameter doing: what failed, as `the topics cannot be listed`.
    package init(_ failure: KafkaFailure, doing: String) {
        self.init(failure.code == "configuration" ? .configuration : .unreachable, "\(doing): \(failure.message)")
    }

    package var description: String { message }
}
