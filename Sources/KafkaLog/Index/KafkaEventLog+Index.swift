package import EventLog
package import Events
internal import Synchronization

extension KafkaEventLog: EventIndex {
    package func lookup(_ id: EventID) throws(LogFailure) -> LogRecord? {
        for place in [appender?.recentPlace(of: id), locator.withLock({ $0 })?(id)] {
            if let place, let record = try record(at: place), record.id == id { return record }
        }
        return try index.lookup(id)
    }

    package func list(_ filter: EventFilter, newest limit: Int) throws(LogFailure) -> [LogRecord] {
        try index.list(filter, newest: limit)
    }

    package func newest(
        _ filter: EventFilter, before position: LogPosition?, limit: Int, scanning: Int, maximumBytes: Int
    ) throws(LogFailure) -> EventPage {
        try index.newest(
            filter, before: position, limit: limit, scanning: scanning, maximumBytes: maximumBytes)
    }

    package func find(_ person: PersonKey) throws(LogFailure) -> [LogRecord] { try index.find(person) }

    @discardableResult
    package func erase(_ id: EventID) throws(LogFailure) -> Bool {
        throw LogFailure(
            .unsupported,
            "Kafka cannot remove a single event: it goes with `retention: age`, or with its topic's retention.ms")
    }

    // MARK: quarantine

    package func quarantined(
        source: String?, sinceMs: Int64?, newest limit: Int
    ) throws(LogFailure) -> [QuarantinedElement] {
        try quarantined(sinceMs: sinceMs, newest: limit) { element in
            (source ?? element.source) == element.source && element.receivedAtMs >= (sinceMs ?? .min)
        }
    }

    package func quarantinedElement(key: String) throws(LogFailure) -> QuarantinedElement? {
        var found: QuarantinedElement?
        try index.forEachQuarantined(sinceMs: nil) { element in
            if found == nil, element.key == key { found = element }
        }
        return found
    }

    package func quarantined(containing bytes: [UInt8]) throws(LogFailure) -> [QuarantinedElement] {
        guard !bytes.isEmpty else { return [] }
        return try quarantined(sinceMs: nil, newest: .max) { ($0.bytes ?? []).contains(bytes) }
    }

    /// An element that stands there twice is given once; two instances may have got it.
    private func quarantined(
        sinceMs: Int64?, newest limit: Int, _ isWanted: (QuarantinedElement) -> Bool
    ) throws(LogFailure) -> [QuarantinedElement] {
        var found: [QuarantinedElement] = []
        var keys: Set<String> = []
        try index.forEachQuarantined(sinceMs: sinceMs) { element in
            guard isWanted(element), keys.insert(element.key).inserted else { return }
            var element = element
            element.bytes = nil
            found.append(element)
        }
        return found.suffix(limit)
    }

    @discardableResult
    package func eraseQuarantined(key: String) throws(LogFailure) -> Bool {
        throw LogFailure(
            .unsupported,
            "Kafka cannot remove a single quarantined element: it goes with its topic's retention.ms")
    }
}
