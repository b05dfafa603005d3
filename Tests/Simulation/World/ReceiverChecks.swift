import EventLog
import Events
import Targets

/// `order: key` as a receiver sees it. What a run of the program that has ended knew is no matter to the next one.
struct OrderCheck {
    private var underway: [[UInt8]: EventID] = [:]
    /// Of the event begun last, its place in the log.
    private var latest: [[UInt8]: Int64] = [:]
    /// Requeued, or on their way when order was first asked for.
    private var excepted: Set<EventID> = []

    /// - Returns: what is wrong with it.
    mutating func begin(_ id: EventID, key: [UInt8], offset: Int64) -> String? {
        if excepted.contains(id) { return nil }
        if let other = underway[key] { return "gets \(id) while \(other) of the same key is on its way" }
        if let last = latest[key], last > offset {
            return "gets \(id) of offset \(offset) after one of the same key that came later, at \(last)"
        }
        underway[key] = id
        latest[key] = offset
        return nil
    }

    mutating func end(_ id: EventID, key: [UInt8]) {
        if underway[key] == id { underway[key] = nil }
    }

    mutating func except(_ ids: some Sequence<EventID>) { excepted.formUnion(ids) }

    /// Nothing is on its way, and what was sent may be sent again.
    mutating func beginAgain() {
        underway = [:]
        latest = [:]
    }
}

/// `rate:` as a receiver sees it.
struct RateCheck {
    private var begun: [Int64] = []

    /// - Parameter nowMs: of the clock that the program goes by.
    mutating func begin(_ limit: RateLimit?, nowMs: Int64) -> String? {
        guard let limit else { return nil }
        begun.append(nowMs)
        guard begun.count > limit.amount else { return nil }
        let passed = nowMs - begun[begun.count - 1 - limit.amount]
        let period = limit.period.components.seconds * 1000
        return passed < period
            ? "gets \(limit.amount + 1) requests within \(passed) ms and allows \(limit.amount) in \(period)" : nil
    }

    mutating func beginAgain() { begun = [] }
}
