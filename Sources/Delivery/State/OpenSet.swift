package import EventLog
package import Events

/// An event that failed and waits for another try while others go on, or that waits behind one of its key. Its text is in
/// the state file.
package struct OpenEntry: Sendable {
    package var place: RecordPlace
    package var id: EventID
    package var type: String
    package var source: String
    package var receivedAtMs: Int64
    package var routes: RouteSet
    /// All tries so far.
    package var tries: Int
    /// Those that count against the event.
    package var counted: Int
    package var firstTried: Moment
    /// When the next try is due, on the monotonic clock.
    package var dueMs: Int64
    /// The stable code of its last failure.
    package var reason: String
    /// The size of its text, in bytes.
    package var size = 0
    /// What it is kept in order by; nil when it is not.
    package var key: UInt64?
    /// When a person took it out of the dead letters, on the wall clock: its age counts from then.
    package var requeuedAtMs: Int64?
    package var record = FailureRecord()
    package var isInFlight = false
    /// Another event of its key is before it: it is not due at any time.
    package var waitsForKey = false
    package var handover = Handover.none
    /// Connections it was lost with.
    package var losses = 0

    var isSystem: Bool { LogRecord.isSystem(type) }
    /// The wall clock, milliseconds.
    var waitsSinceMs: Int64 { requeuedAtMs ?? receivedAtMs }
}

extension OpenEntry {
    /// As an earlier owner of it has kept it.
    init(_ record: RestoredTarget.OpenRecord, _ policy: TargetPolicy, _ now: Moment) {
        let wait = min(max(0, record.nextAtMs - now.wallMs), policy.retry.capMs)
        self.init(
            place: record.place, id: record.id, type: record.type, source: record.source,
            receivedAtMs: record.receivedAtMs, routes: record.routes, tries: record.tries, counted: record.counted,
            firstTried: now.past(wallMs: record.firstTriedAtMs), dueMs: now.monotonicMs + wait, reason: record.reason,
            size: record.size, key: record.key, requeuedAtMs: record.requeuedAtMs)
        // Whatever connection had taken it, it is not this run's.
        if record.reason == Self.sent { handover = .lost }
    }
}

/// What an event's failures by the target's fault tell about the event itself.
package struct FailureRecord: Sendable, Hashable {
    /// The request of the last failure.
    var request: UInt64?
    /// Failures before it that it met alone: the target took another event that was sent later.
    var timesAlone = 0
    /// The last request after which a connection broke that had nothing else.
    var brokenBy: UInt64?
}

/// The events of one target that failed and are due again at some time: found by place, ordered by due time.
struct OpenSet: Sendable {
    private(set) var entries: [RecordPlace: OpenEntry] = [:]
    /// Partitions whose entries are not due at any time.
    var held: Set<Int32> = []
    /// A binary heap that may hold outdated turns; an entry's `dueMs` says which one counts.
    private var heap: [Turn] = []
    /// Entries that a connection has taken, and those that were lost with one and not sent again yet.
    private(set) var sentCount = 0
    private(set) var lostCount = 0

    /// Of those due at the same time the first of the log goes first: the same run ends the same each time.
    private struct Turn: Sendable {
        var dueMs: Int64
        var place: RecordPlace

        static func < (one: Turn, other: Turn) -> Bool {
            (one.dueMs, one.place.partition, one.place.offset)
                < (other.dueMs, other.place.partition, other.place.offset)
        }
    }

    var count: Int { entries.count }
    /// Entries that failed, or wait for one that did.
    var failedCount: Int { entries.count - sentCount - lostCount }

    subscript(place: RecordPlace) -> OpenEntry? { entries[place] }

    /// Adds an entry or puts it back after another failed try.
    mutating func put(_ entry: OpenEntry) {
        tally(entries.updateValue(entry, forKey: entry.place), by: -1)
        tally(entry, by: 1)
        if entry.isEverDue { push(Turn(dueMs: entry.dueMs, place: entry.place)) }
    }

    /// It is not in flight any more, and no try was made.
    mutating func comeBack(_ place: RecordPlace) {
        guard var entry = entries[place] else { return }
        entry.isInFlight = false
        put(entry)
    }

    mutating func remove(_ place: RecordPlace) {
        tally(entries.removeValue(forKey: place), by: -1)
        if entries.isEmpty { heap.removeAll() }
    }

    /// The earliest due time of an entry that is not in flight.
    mutating func nextDueMs() -> Int64? {
        dropOutdated()
        return heap.first?.dueMs
    }

    /// The earliest entry that is due; nil when there is none.
    mutating func firstDue(_ now: Moment) -> OpenEntry? {
        dropOutdated()
        guard let turn = heap.first, turn.dueMs <= now.monotonicMs else { return nil }
        return entries[turn.place]
    }

    /// The earliest entry that is due, now in flight.
    mutating func start(_ now: Moment) -> OpenEntry? {
        dropOutdated()
        guard let turn = heap.first, turn.dueMs <= now.monotonicMs else { return nil }
        pop()
        entries[turn.place]?.isInFlight = true
        return entries[turn.place]
    }

    private mutating func tally(_ entry: OpenEntry?, by change: Int) {
        switch entry?.handover {
        case .sent: sentCount += change
        case .lost: lostCount += change
        case .some(.none), nil: break
        }
    }

    private mutating func dropOutdated() {
        while let turn = heap.first {
            if let entry = entries[turn.place], !entry.isInFlight, entry.isEverDue, entry.dueMs == turn.dueMs,
                held.isEmpty || !held.contains(turn.place.partition)
            {
                return
            }
            pop()
        }
    }

    private mutating func push(_ turn: Turn) {
        heap.append(turn)
        var child = heap.count - 1
        while child > 0, heap[child] < heap[(child - 1) / 2] {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private mutating func pop() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            let left = 2 * parent + 1
            guard left < heap.count else { return }
            let right = left + 1
            let least = right < heap.count && heap[right] < heap[left] ? right : left
            guard heap[least] < heap[parent] else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
