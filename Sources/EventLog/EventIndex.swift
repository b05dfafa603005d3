package import Events

/// Finding and removing single events, which a log of Kafka's shape cannot do by itself.
package protocol EventIndex: AnyObject, Sendable {
    func lookup(_ id: EventID) throws(LogFailure) -> LogRecord?
    /// The newest records that match, oldest first.
    func list(_ filter: EventFilter, newest limit: Int) throws(LogFailure) -> [LogRecord]
    /// Going back from a place in the log, newest first, in steps of bounded work.
    /// - Parameters:
    ///   - position: what is looked at lies before it; nil: the end of the log.
    ///   - limit: records found, at most.
    ///   - scanning: records looked at, at most, about.
    ///   - maximumBytes: of what is found; one record is given however large it is.
    func newest(
        _ filter: EventFilter, before position: LogPosition?, limit: Int, scanning: Int, maximumBytes: Int
    ) throws(LogFailure) -> EventPage
    /// Every record that belongs to a person, oldest first.
    func find(_ person: PersonKey) throws(LogFailure) -> [LogRecord]
    /// Removes a record's content for good; its place, id, type, source and time remain. False when it is not there or
    /// was erased already. Blocks until it is durable.
    @discardableResult
    func erase(_ id: EventID) throws(LogFailure) -> Bool
    /// The newest quarantined elements, oldest first, without their bytes.
    func quarantined(source: String?, sinceMs: Int64?, newest limit: Int) throws(LogFailure) -> [QuarantinedElement]
    /// One quarantined element, with its bytes.
    func quarantinedElement(key: String) throws(LogFailure) -> QuarantinedElement?
    /// Quarantined elements whose bytes contain `bytes`, such as a visitor's id or e-mail; oldest first, without their
    /// bytes.
    func quarantined(containing bytes: [UInt8]) throws(LogFailure) -> [QuarantinedElement]
    /// Removes a quarantined element for good; the counters stay. Blocks until it is durable.
    @discardableResult
    func eraseQuarantined(key: String) throws(LogFailure) -> Bool
}

/// A part of the log, newest first.
package struct EventPage: Sendable {
    package var records: [LogRecord]
    /// What is older lies before it; nil when there is nothing older. A page may be empty and yet not the last one.
    package var next: LogPosition?

    package init(records: [LogRecord], next: LogPosition?) {
        self.records = records
        self.next = next
    }
}

/// What a listing takes.
package struct EventFilter: Sendable {
    /// Nil takes every one.
    package var types: Set<String>?
    package var sources: Set<String>?
    /// Received at or after.
    package var sinceMs: Int64?
    /// Received before.
    package var untilMs: Int64?
    /// Whether `system.…` events and erased records are taken too.
    package var includesSystem = false
    package var includesErased = false
    /// Asked last.
    package var predicate: (@Sendable (LogRecord) -> Bool)?

    package init() {}

    package func matches(_ record: LogRecord) -> Bool {
        if let types, !types.contains(record.type) { return false }
        if let sources, !sources.contains(record.source) { return false }
        if let sinceMs, record.receivedAtMs < sinceMs { return false }
        if let untilMs, record.receivedAtMs >= untilMs { return false }
        if !includesSystem, record.isSystem { return false }
        if !includesErased, record.isErased { return false }
        return predicate?(record) ?? true
    }
}

/// What a person's events are found by.
package enum PersonKey: Sendable, Hashable {
    case visitorID([UInt8])
    case returningID([UInt8])
    /// Case does not count for ASCII letters.
    case email([UInt8])
}
