/// What waits in the spool for Kafka.
package struct SpoolStatus: Sendable, Equatable {
    /// Acknowledged, and not known to be in Kafka.
    package var events: Int64 = 0
    /// Of its file that are in use.
    package var bytes: Int64 = 0
    package var maximumBytes: Int64 = 0
    /// When the oldest of them was received, milliseconds since 1970 UTC; nil when there is none.
    package var oldestMs: Int64?
    /// Acknowledged, and refused by Kafka for good: they are kept here with the reason.
    package var deadLetters: Int64 = 0
    /// Whether events are on their way from here to Kafka.
    package var isDraining = false
    /// Whether Kafka is taken to be away: nothing was acknowledged for a while.
    package var isKafkaAway = false
    /// Why nothing can be kept here at present; nil when it can.
    package var unavailable: String?

    package init() {}
}
