internal import Delivery
internal import Kafka

/// Records that are to be kept together, and what may be committed once they are.
struct JournalBatch: Sendable {
    struct Item: Sendable {
        var record: KafkaRecord
        /// An item is sent when those before it that are of a step before are acknowledged.
        var step = 0
        /// Nil: it belongs to none, and outlives them.
        var shard: Int?
        /// The partition of the log whose commit must not pass the event before the record is kept.
        var guarding: Int32?
        /// May be written in any order, more than once, or shorter.
        var isHistory = false
        /// What is written when the record is too large; nil: nothing.
        var shorter: KafkaRecord?
    }

    var items: [Item] = []
    /// By partition of the log: the newest state.
    var commits: [Int32: RestoredShard.Partition] = [:]
    /// Of the last record, or of the one before the batch.
    var stamp: RecordStamp
    /// What the engine gave, for the measure of what is not kept yet.
    var operations = 0
}
