package import Delivery
package import EventLog
package import Events
package import KafkaLog
package import Logging
internal import Synchronization
internal import Targets

/// The state of delivery as it stands in Kafka, on all instances together: a store in this process's own temporary folder,
/// brought up to date from the topics whenever it is asked something, as far as the question needs. It shows a running
/// instance's state and a stopped one's alike, and changes nothing in Kafka.
package final class KafkaView: Sendable {
    /// How far a part has come that takes its time, in records.
    package typealias Progress = @Sendable (_ part: StorePart, _ done: Int64, _ total: Int64) -> Void

    /// Answers every query; each has it refreshed first.
    package let store: DeliveryStore
    private let content: Mutex<ViewContent>

    /// How long one question waits for the topics to be read. Reading goes on with the next one where this one left off.
    package static let patience = Duration.seconds(50)

    /// - Parameters:
    ///   - log: of the same options.
    ///   - progress: told while a refresh is under way.
    /// - Throws: `KafkaFailure`, `DeliveryStoreError`, `SQLiteError`.
    package init(
        _ options: KafkaLogOptions, log: any LogReader, logger: Logger, progress: Progress? = nil
    ) throws {
        store = try ViewFolder.openStore()
        let content = try ViewContent(options, store, log, logger, progress)
        self.content = Mutex(content)
        store.beforeReading { [weak self] in try self?.refresh($0, within: Self.patience) }
    }

    /// Brings everything up to date.
    package func refreshed(within limit: Duration) throws -> DeliveryStore {
        try refresh(Set(StorePart.allCases), within: limit)
        return store
    }

    /// Brings parts of it up to date.
    /// - Throws: when that could not be done in time; what has been read stays read.
    package func refresh(_ parts: Set<StorePart>, within limit: Duration) throws {
        try content.withLock { try $0.refresh(parts, by: .now + limit) }
    }

    /// Has the next question see what has changed until now, however shortly before it the topics were read.
    package func outdate() { content.withLock { $0.outdate() } }

    /// Where an event is that something has happened to; nil when nothing is known of it.
    package func place(of event: EventID) -> RecordPlace? {
        try? refresh([.history], within: Self.patience)
        return try? store.place(of: event)
    }

    /// The accounts of all instances together, of one moment.
    package func reconcile() throws -> Reconciliation {
        try content.withLock { content in
            try content.refresh([.accounts], by: .now + Self.patience)
            return try content.reconcile()
        }
    }

    /// Every target as if no instance were running.
    package func targets() throws -> [TargetStatus] {
        try content.withLock { content in
            try content.refresh([.accounts], by: .now + Self.patience)
            return try content.statuses()
        }
    }

    /// Every replay as if no instance were running, in the order they came.
    package func replays() throws -> [ReplayStatus] {
        try content.withLock { content in
            try content.refresh([.accounts], by: .now + Self.patience)
            return try content.replayStatuses()
        }
    }

    func hasDeadLetters(replay number: Int64) throws -> Bool { try store.hasDeadLetters(replay: number) }

    /// Where a target stands on all instances together, and what it has unfinished before that; nil for one that is not
    /// there.
    package func place(of target: String) throws -> (position: LogPosition, unfinished: Set<RecordPlace>)? {
        try content.withLock { content in
            try content.refresh([.accounts], by: .now + Self.patience)
            guard let cursor = try content.store.targets().first(where: { $0.name == target })?.cursor else {
                return nil
            }
            let open = try content.store.openPlaces(of: target)
            return (cursor.position, open.union(cursor.holes))
        }
    }

    /// The current entries of the control topic, in the order they were written.
    package func control(where isWanted: (ControlKey) -> Bool) throws -> [ControlEntry] {
        try content.withLock { content in
            try content.refresh([.accounts], by: .now + Self.patience)
            return content.control.values.filter { isWanted($0.key) }.sorted { $0.offset < $1.offset }
        }
    }
}
