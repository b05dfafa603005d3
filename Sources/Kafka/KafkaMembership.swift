/// A member of a consumer group that subscribes to one topic and never fetches: what it is given says which work is its own,
/// and it commits the group's offsets.
///
/// A thread of its own polls, so that the member stays one however long the work takes.
package final class KafkaMembership: Sendable {
    package enum Event: Sendable, Hashable {
        /// These partitions are this member's, and no others. May be none.
        case assigned(Set<Int32>)
        /// These partitions go to others once `released` is called, or the time for it is over.
        case revoked(Set<Int32>)
        /// These partitions are others' already: the group believed this member dead, or they were not released in time.
        case lost(Set<Int32>)
    }

    private let member: GroupMember

    /// How long the member keeps partitions that are revoked, waiting for `released`. Shorter than the session.
    package static let revokeTimeout = Duration.seconds(8)

    /// - Parameters:
    ///   - topic: must exist.
    ///   - onEvent: called on the member's own thread, in order. Must not block.
    ///   - onStatistics: given librdkafka's statistics (JSON) every five seconds, on the member's thread.
    /// - Throws: `configuration`, `resources`.
    package init(
        _ configuration: KafkaConfiguration, group: String, topic: String,
        onStatistics: (@Sendable ([UInt8]) -> Void)? = nil, onEvent: @escaping @Sendable (Event) -> Void
    ) throws(KafkaFailure) {
        member = try GroupMember.start(
            configuration, group: group, topic: topic, onStatistics: onStatistics, onEvent: onEvent)
    }

    deinit {
        member.close(within: .zero)
    }

    /// What keeps the member from the group; nil while it is in it.
    package var trouble: KafkaFailure? { member.trouble }

    /// The partitions last revoked may go to others. To be called once for each `.revoked`, with every commit handed over.
    package func released() {
        member.released()
    }

    /// Commits offsets of any topics' partitions, as the member that it is.
    ///
    /// The number of each partition must be one that this member has and has not released: otherwise the commit fails with
    /// `not_owned`. A member that others believe dead fails likewise, or by what the group's coordinator answers.
    /// - Parameter completion: called exactly once: on the member's thread, or on the caller's where it fails at once. Must
    ///   not block.
    package func commit(
        _ offsets: [TopicPartition: KafkaCommit],
        completion: @escaping @Sendable (Result<Void, KafkaFailure>) -> Void
    ) {
        member.commit(offsets, completion)
    }

    /// Has what is owned revoked and released, then leaves the group, so that others have it at once. Returns when that is
    /// done or the time is over; then others have it once the session is over.
    package func close(within limit: Duration) {
        member.close(within: limit)
    }
}
