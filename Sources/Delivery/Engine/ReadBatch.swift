internal import EventLog
internal import Events
internal import Targets

/// A piece of the log, parsed and matched once for all targets.
struct ReadBatch {
    struct Record {
        var place: RecordPlace
        var isSystem: Bool
        var isErased: Bool
        var isRepeat: Bool
        /// Nil when no target takes it.
        var event: LoggedEvent?
        var takers: [Taker]
    }

    struct Taker {
        /// The target's place among the engine's targets.
        var runtime: Int
        var routes: RouteSet
        /// The routes' places in the plan.
        var planRoutes: [Int]
        /// Why the target itself does not take it; nil: it does.
        var refusal: FilteredReason?
    }

    var from: LogPosition
    var next: LogPosition
    var records: [Record]
    var footprint: Int
    var readAtMs: Int64
}

/// The batches read last. Targets that keep up roughly, but not to the event, find here what the first of them read; a copy
/// of the log that lives for moments only, because a record may be erased from the log meanwhile.
struct BatchCache {
    private static let lifetimeMs: Int64 = 1000
    private static let maximumFootprint = 2 << 20

    private var batches: [ReadBatch] = []
    private var footprint = 0

    mutating func batch(from position: LogPosition, _ now: Moment) -> ReadBatch? {
        removeOld(now)
        return batches.first { $0.from == position }
    }

    mutating func insert(_ batch: ReadBatch) {
        batches.append(batch)
        footprint += batch.footprint
        while footprint > Self.maximumFootprint, batches.count > 1 { removeFirst() }
    }

    mutating func removeOld(_ now: Moment) {
        while let first = batches.first, first.readAtMs + Self.lifetimeMs <= now.monotonicMs { removeFirst() }
    }

    mutating func removeAll() {
        batches.removeAll()
        footprint = 0
    }

    private mutating func removeFirst() {
        footprint -= batches.removeFirst().footprint
    }
}
