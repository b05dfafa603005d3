internal import Delivery
internal import EventLog
internal import Events
internal import JSON

/// A record that was found, and by what: `id`, `key`, `visitor`, `e-mail`, `visit`.
struct TracedRecord {
    var record: LogRecord
    var foundBy: String
}

/// Finds an event, or a person's or a visit's events, and tells each one's whole life.
struct EventTracer: Sendable {
    let log: any LogReader & EventIndex
    let store: DeliveryStore
    let targets: @Sendable () throws -> [TargetStatus]
    let sources: @Sendable () -> [SourceFacts]

    /// Events told of where no limit is given.
    static let usualLimit = 20
    /// Records looked at for a visit's id, the newest first: visits are not indexed.
    static let scanning = 500_000
    private static let step = 20_000

    /// One JSON object an event, the newest first.
    func trace(_ text: String, limit: Int?) throws -> [[UInt8]] {
        let found = try find(text, limit: limit ?? Self.usualLimit)
        return try found.map { try line($0, targets: nil) }
    }

    // MARK: finding

    private func find(_ text: String, limit: Int) throws -> [TracedRecord] {
        if let id = EventID(hex: text), let record = try log.lookup(id) {
            return [TracedRecord(record: record, foundBy: "id")]
        }
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty else { throw RecordError("say which event, visit or visitor") }
        var found = try byKey(bytes)
        for (person, name) in [
            (PersonKey.visitorID(bytes), "visitor"), (.returningID(bytes), "visitor"), (.email(bytes), "e-mail"),
        ] {
            found += try log.find(person).map { record in
                // What has no visitor is kept under the visit's id.
                TracedRecord(record: record, foundBy: VisitSearch.isNamed(text, record.payload) ? "visit" : name)
            }
        }
        let isPerson = found.contains { $0.foundBy == "visitor" || $0.foundBy == "e-mail" }
        if !isPerson { found += try byVisit(text, limit) }
        var seen: Set<EventID> = []
        let unique = found.filter { seen.insert($0.record.id).inserted }
        return Array(unique.sorted { $0.record.receivedAtMs > $1.record.receivedAtMs }.prefix(limit))
    }

    /// By the sender's own key, in every source's space of ids.
    private func byKey(_ key: [UInt8]) throws -> [TracedRecord] {
        try Set(sources().map(\.keySpace)).compactMap { space in
            try log.lookup(EventID(keySpace: space, dedupeKey: key)).map { TracedRecord(record: $0, foundBy: "key") }
        }
    }

    private func byVisit(_ text: String, _ limit: Int) throws -> [TracedRecord] {
        var filter = EventFilter()
        filter.predicate = { VisitSearch.isNamed(text, $0.payload) }
        var found: [TracedRecord] = []
        var position: LogPosition?
        for _ in 0..<(Self.scanning / Self.step) where found.count < limit {
            let page = try log.newest(
                filter, before: position, limit: limit - found.count, scanning: Self.step, maximumBytes: 64 << 20)
            found += page.records.map { TracedRecord(record: $0, foundBy: "visit") }
            guard let next = page.next else { break }
            position = next
        }
        return found
    }

    // MARK: telling

    /// - Parameter names: the targets told of; nil: every one.
    func line(_ traced: TracedRecord, targets names: Set<String>?) throws -> [UInt8] {
        let record = traced.record
        let view = try? EventView(parsing: record.payload, with: JSONParser())
        let standings = try Dictionary(targets().map { ($0.name, $0) }) { first, _ in first }
        let rows = try store.deliveries(of: record).filter { names?.contains($0.target) ?? true }
        let facts = sources().first { $0.name == record.source }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("event", record.id.hex)
        writer.member("found_by", traced.foundBy)
        writer.member("type", record.type)
        writer.member("source", record.source)
        writer.member("vendor", view?.text(.vendor))
        writer.member("vendor_event", view?.text(.vendorEvent))
        writer.member("subject", view?.attribute("subject"))
        writer.member("site", view?.text(.siteName) ?? view?.text(.siteID))
        writer.member("time", view?.attribute("time"))
        writer.key("time_inferred")
        writer.bool(view?.text(.timeInferred) == "true")
        writer.member("received_at", Timestamp(milliseconds: record.receivedAtMs).text)
        writer.key("erased")
        writer.bool(record.isErased)
        writer.key("size")
        writer.integer(Int64(record.payload.count))
        writer.member("fields", EventField.allCases.filter { view?.value($0) != nil }.map(\.path))
        writer.key("decision")
        if let outcome = view?.text(.decisionOutcome) {
            writer.beginObject()
            writer.member("outcome", outcome)
            writer.member("reason", view?.text(.decisionReason))
            writer.endObject()
        } else {
            writer.null()
        }
        writer.key("verified_by")
        writer.beginObject()
        let verification = Verification(record, facts)
        writer.member("how", verification.how)
        writer.member("secret", verification.secret)
        writer.member("secrets", verification.secrets)
        writer.endObject()
        writer.key("targets")
        writer.beginArray()
        let attempts = try store.attempts(at: record.place)
        for row in rows {
            // The row's object, with one more member.
            var text = JSONWriter()
            try row.appendJSON(to: &text, attempts[row.targetID] ?? [], .brief)
            var next = JSONWriter()
            next.string(NextStep.text(row, standings[row.target]))
            writer.raw(text.bytes.dropLast() + Array(#","next":"#.utf8) + next.bytes + [UInt8(ascii: "}")])
        }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }
}

/// How it was proved where an event came from.
private struct Verification {
    var how: String
    /// The one that did; nil when it was not kept, or there was none.
    var secret: String?
    /// Those that may have: the one that did, or all that the source has today.
    var secrets: [String]

    init(_ record: LogRecord, _ source: SourceFacts?) {
        let today = source?.verification ?? "the source is no longer configured"
        switch record.verifiedBy {
        case _ where record.isSystem: (how, secrets) = ("made here", [])
        case nil: (how, secrets) = (today, source?.secrets ?? [])
        case "": (how, secrets) = ("nothing (verify: none)", [])
        case let name?: (how, secret, secrets) = (today, name, [name])
        }
    }
}

/// Whether an event names a visit, or another thing it is about, by an id.
private enum VisitSearch {
    private static let fields: [EventField] = [.visitID, .invitationID, .sessionID, .deviceID, .correlationID]

    static func isNamed(_ id: String, _ payload: [UInt8]) -> Bool {
        // Reading the text as JSON costs much more than looking through it.
        guard holds(payload, Array(id.utf8)), let view = try? EventView(parsing: payload, with: JSONParser()) else {
            return false
        }
        return fields.contains { view.text($0) == id }
    }

    private static func holds(_ text: [UInt8], _ part: [UInt8]) -> Bool {
        guard let first = part.first, text.count >= part.count else { return false }
        let (text, part) = (text.span, part.span)
        for start in 0...(text.count - part.count) where text[start] == first {
            var length = 1
            while length < part.count, text[start + length] == part[length] { length += 1 }
            if length == part.count { return true }
        }
        return false
    }
}
