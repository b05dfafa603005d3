package import EventLog
package import Events
package import Targets

/// An event that a route took for a target, and the target itself does not take. Why is written down: the lists and
/// conditions that said so may be others tomorrow.
package struct RefusedEvent: Sendable {
    package var place: RecordPlace
    package var id: EventID
    package var type: String
    package var source: String
    package var receivedAtMs: Int64
    package var routes: RouteSet
    package var reason: FilteredReason

    init(_ event: LoggedEvent, _ routes: RouteSet, _ reason: FilteredReason) {
        place = event.place
        id = event.id
        type = event.type
        source = event.source
        receivedAtMs = event.receivedAtMs
        self.routes = routes
        self.reason = reason
    }

    var isSystem: Bool { LogRecord.isSystem(type) }

    /// The memory it takes, roughly.
    static let footprint = 256
}

/// What was read beyond a target's position, in the order it was read. Only a copy of the log: it may be dropped and read
/// again at any time.
struct Backlog: Sendable {
    enum Item: Sendable {
        /// A route took it: to be sent, at the latest at `dueMs` of the monotonic clock where events are gathered.
        case taken(LoggedEvent, RouteSet, dueMs: Int64)
        /// A route took it, and the target itself does not.
        case refused(RefusedEvent)
        /// Events of one partition, all before the offset `to`, that are finished without being sent, and how.
        case settled(partition: Int32, to: Int64, TargetCounters)
        /// Who owned its partition before has kept it as ended, or as open: `PartitionShare.ahead` says how.
        case known(RecordPlace, isSystem: Bool)
    }

    private var items: [Item?] = []
    private var start = 0
    /// Memory taken by the events, in bytes.
    private(set) var footprint = 0
    /// Events to be sent, and the size of their texts in bytes.
    private(set) var takenCount = 0
    private(set) var takenBytes = 0

    var count: Int { items.count - start }
    var isEmpty: Bool { start == items.count }
    var first: Item? { start < items.count ? items[start] : nil }

    mutating func append(_ item: Item) {
        switch item {
        case .taken(let event, _, _):
            footprint += event.footprint
            takenCount += 1
            takenBytes += event.payload.count
        case .settled(let partition, let to, let counters):
            if !isEmpty, case .settled(partition, _, var sum)? = items[items.count - 1] {
                sum += counters
                items[items.count - 1] = .settled(partition: partition, to: to, sum)
                return
            }
        case .refused: footprint += RefusedEvent.footprint
        case .known: break
        }
        items.append(item)
    }

    mutating func removeFirst() {
        if case .taken(let event, _, _)? = items[start] {
            footprint -= event.footprint
            takenCount -= 1
            takenBytes -= event.payload.count
        } else if case .refused? = items[start] {
            footprint -= RefusedEvent.footprint
        }
        items[start] = nil
        start += 1
        if start == items.count {
            items.removeAll(keepingCapacity: true)
            start = 0
        } else if start >= 512, start * 2 >= items.count {
            items.removeFirst(start)
            start = 0
        }
    }

    mutating func removeAll() {
        items.removeAll(keepingCapacity: true)
        start = 0
        footprint = 0
        takenCount = 0
        takenBytes = 0
    }
}
