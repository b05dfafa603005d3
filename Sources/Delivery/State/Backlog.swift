internal import EventLog

/// What was read beyond a target's position, in the order it was read. Only a copy of the log: it may be dropped and read
/// again at any time.
struct Backlog: Sendable {
    enum Item: Sendable {
        /// A route took it: to be sent.
        case taken(LoggedEvent, RouteSet)
        /// Events of one partition, all before the offset `to`, that are finished without being sent, and how.
        case settled(partition: Int32, to: Int64, TargetCounters)
    }

    private var items: [Item?] = []
    private var start = 0
    /// Memory taken by the events, in bytes.
    private(set) var footprint = 0

    var count: Int { items.count - start }
    var isEmpty: Bool { start == items.count }
    var first: Item? { start < items.count ? items[start] : nil }

    mutating func append(_ item: Item) {
        switch item {
        case .taken(let event, _): footprint += event.footprint
        case .settled(let partition, let to, let counters):
            if !isEmpty, case .settled(partition, _, var sum)? = items[items.count - 1] {
                sum += counters
                items[items.count - 1] = .settled(partition: partition, to: to, sum)
                return
            }
        }
        items.append(item)
    }

    mutating func removeFirst() {
        if case .taken(let event, _)? = items[start] { footprint -= event.footprint }
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
    }
}
