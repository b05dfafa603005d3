/// The topics that hold what is known beside the events: what is to be tried again, dead letters, the history of attempts,
/// and what the instances tell each other. Targets' names have only characters that names of topics may have.
package struct StateTopics: Sendable, Hashable {
    package let prefix: String

    package init(prefix: String) {
        self.prefix = prefix
    }

    /// Events that are not finished at a target.
    package func retry(_ target: String) -> String { "\(prefix).retry.\(target)" }
    package func dead(_ target: String) -> String { "\(prefix).dead.\(target)" }
    package var attempts: String { "\(prefix).attempts" }
    package var cursors: String { "\(prefix).cursors" }
    package var quarantine: String { "\(prefix).quarantine" }
    /// What operators did, and what they read in the clear.
    package var audit: String { "\(prefix).audit" }
    /// The consumer group of a target.
    package func group(_ target: String) -> String { "\(prefix).\(target)" }

    /// The target whose topic of retries or dead letters this is; nil for any other topic.
    package func target(ofTopic topic: String) -> String? {
        for start in ["\(prefix).retry.", "\(prefix).dead."] where topic.hasPrefix(start) {
            return String(topic.dropFirst(start.count))
        }
        return nil
    }
}
