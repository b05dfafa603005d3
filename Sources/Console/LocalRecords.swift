package import Delivery
package import EventLog
internal import Events
internal import JSON
internal import Rules

/// The records of this machine's data folder: of the instance that runs here, or of one that is stopped.
package final class LocalRecords: RecordSource {
    let log: any LogReader & EventIndex
    let store: DeliveryStore
    private let refused: DeliveryStore
    private let targets: @Sendable () throws -> [TargetStatus]
    private let balance: @Sendable () throws -> Reconciliation
    private let routes: @Sendable () -> RouteListing
    private let routeErrors: @Sendable () -> [String: Int64]?
    private let tracer: EventTracer
    private let detail: DeliveryDetail

    /// - Parameters:
    ///   - refusals: where the ledger of refusals is; nil: in `store`.
    ///   - targets: the targets as they stand now.
    ///   - balance: the accounts as they stand now.
    ///   - routes: the routes and teams as they stand now.
    ///   - routeErrors: how often each route could not be evaluated, by its name; nil when nobody counts.
    ///   - sources: how the sources are configured now.
    ///   - history: tells again what was sent; nil: from what the state file itself holds.
    package init(
        log: any LogReader & EventIndex, store: DeliveryStore, refusals: DeliveryStore? = nil,
        targets: @escaping @Sendable () throws -> [TargetStatus],
        balance: @escaping @Sendable () throws -> Reconciliation, routes: @escaping @Sendable () -> RouteListing,
        routeErrors: @escaping @Sendable () -> [String: Int64]? = { nil },
        sources: @escaping @Sendable () -> [SourceFacts] = { [] }, history: RequestHistory? = nil
    ) {
        self.log = log
        self.store = store
        refused = refusals ?? store
        self.targets = targets
        self.balance = balance
        self.routes = routes
        self.routeErrors = routeErrors
        tracer = EventTracer(log: log, store: store, targets: targets, sources: sources)
        detail = DeliveryDetail(store: store, history: history ?? RequestHistory(log: log, store: store))
    }

    /// The routes at work.
    var plan: RulePlan { routes().plan }

    private static let pageRecords = 1000
    private static let pageBytes = 1 << 20

    package func page(_ query: ListQuery, after cursor: String?) throws -> RecordPage {
        switch query.kind {
        case .events: try events(query, after: cursor)
        case .quarantine: try quarantine(query)
        case .deliveries: try deliveries(query, after: cursor)
        case .refusals: try refusals(query, after: cursor)
        case .targets: RecordPage(lines: try targets().map { status in Self.line { status.appendJSON(to: &$0) } })
        case .routes: try routes().routes(query, after: cursor, errors: routeErrors())
        case .teams: routes().teams(query)
        case .trace: RecordPage(lines: try tracer.trace(query.id ?? "", limit: query.limit))
        }
    }

    /// - Parameter names: nil: every target.
    func targets(named names: Set<String>?) throws -> [[UInt8]] {
        try targets().filter { names?.contains($0.name) ?? true }.map { status in
            Self.line { status.appendJSON(to: &$0) }
        }
    }

    /// Routes in the order of their files, `limit` of them looked at.
    func routes(_ query: ListQuery, after cursor: String?, limit: Int) throws -> RecordPage {
        try routes().routes(query, after: cursor, pageSize: limit, errors: routeErrors())
    }

    /// One event's whole life.
    func trace(_ record: LogRecord, targets: Set<String>?) throws -> [UInt8] {
        try tracer.line(TracedRecord(record: record, foundBy: "id"), targets: targets)
    }

    package func reconcile() throws -> (json: [UInt8], isBalanced: Bool) {
        let result = try balance()
        return (result.json, result.isBalanced)
    }

    private static func line(_ write: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        write(&writer)
        return writer.bytes
    }

    // MARK: deliveries and refusals

    private func deliveries(_ query: ListQuery, after cursor: String?) throws -> RecordPage {
        var filter = DeliveryFilter()
        filter.target = query.target
        filter.source = query.source
        filter.type = query.type
        filter.sinceMs = query.since
        if let text = query.id { filter.event = try Self.eventID(text) }
        let condition = try EventCondition(query.condition)
        func lines(_ rows: [DeliveryRow]) throws -> [[UInt8]] {
            let taken = try rows.filter { try condition?.takes(log.lookup($0.event)) ?? true }
            if filter.event != nil { return try detail.lines(taken, hidesBatches: false) }
            return taken.map { row in Self.line { row.appendJSON(to: &$0) } }
        }
        if let id = filter.event, let record = try log.lookup(id) {
            // Of one event every target's state is told, where it was filtered or is not read yet too.
            let isTaken = condition?.takes(record) ?? true
            let rows = isTaken ? try store.deliveries(of: record).filter { filter.takes($0) } : []
            let taken = query.limit.map { Array(rows.suffix($0)) } ?? rows
            return RecordPage(lines: try detail.lines(taken, hidesBatches: false))
        }
        if let limit = query.limit {
            return RecordPage(lines: try lines(store.deliveries(filter, newest: limit)))
        }
        let page = try store.deliveries(filter, after: cursor)
        return RecordPage(lines: try lines(page.rows), next: page.next)
    }

    /// What became of one event, at every target that was there for it.
    /// - Parameter team: sees its own targets, and no other event.
    func deliveries(of record: LogRecord, seenBy team: TeamView?) throws -> [[UInt8]] {
        let rows = try store.deliveries(of: record).filter { team?.targets.contains($0.target) ?? true }
        return try detail.lines(rows, hidesBatches: team != nil)
    }

    private func refusals(_ query: ListQuery, after cursor: String?) throws -> RecordPage {
        func lines(_ entries: [RefusalEntry]) -> [[UInt8]] {
            entries.map { entry in Self.line { entry.appendJSON(to: &$0) } }
        }
        if let limit = query.limit {
            return RecordPage(
                lines: lines(try refused.refusals(source: query.source, sinceMs: query.since, newest: limit)))
        }
        let page = try refused.refusals(source: query.source, sinceMs: query.since, after: cursor)
        return RecordPage(lines: lines(page.entries), next: page.next)
    }

    // MARK: events

    private static func eventID(_ text: String) throws -> EventID {
        guard let id = EventID(hex: text) else { throw RecordError("an event's id is 32 hex digits") }
        return id
    }

    private func events(_ query: ListQuery, after cursor: String?) throws -> RecordPage {
        if let text = query.id {
            return RecordPage(lines: try log.lookup(Self.eventID(text)).map { [$0.payload] } ?? [])
        }
        let filter = try filter(query)
        if let limit = query.limit {
            return RecordPage(lines: try log.list(filter, newest: limit).map(\.payload))
        }
        let start = try position(cursor, since: query.since)
        let batch = try log.readPatiently(from: start, maximumRecords: Self.pageRecords, maximumBytes: Self.pageBytes)
        return RecordPage(
            lines: batch.records.filter(filter.matches).map(\.payload),
            next: batch.next == start ? nil : batch.next.description)
    }

    private func position(_ cursor: String?, since: Int64?) throws -> LogPosition {
        if let cursor {
            guard let position = LogPosition(cursor) else { throw RecordError("the cursor is not one of ours") }
            return position
        }
        return try since.map(log.position) ?? log.beginning
    }

    private func filter(_ query: ListQuery) throws -> EventFilter {
        var filter = EventFilter()
        filter.types = query.type.map { [$0] }
        filter.sources = query.source.map { [$0] }
        filter.sinceMs = query.since
        filter.includesSystem = query.includesSystem
        let destination = query.target.map { (plan: plan, target: $0) }
        let filters = try query.condition.map { [try EventCondition.filter($0)] } ?? []
        if let condition = EventCondition(filters, to: destination) { filter.predicate = { condition.takes($0) } }
        return filter
    }

    private func quarantine(_ query: ListQuery) throws -> RecordPage {
        let elements = try log.quarantined(
            source: query.source, sinceMs: query.since, newest: query.limit ?? ListQuery.maximumLimit)
        return RecordPage(lines: elements.map(\.json))
    }
}

extension DeliveryFilter {
    fileprivate func takes(_ row: DeliveryRow) -> Bool {
        (target.map { $0 == row.target } ?? true) && (source.map { $0 == row.source } ?? true)
            && (type.map { $0 == row.type } ?? true) && (sinceMs.map { $0 <= row.receivedAtMs } ?? true)
    }
}

extension QuarantinedElement {
    /// `{source, index, received_at, reason, size, sha256}`: never its bytes.
    fileprivate var json: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("source")
        writer.string(source)
        writer.key("index")
        writer.integer(Int64(index))
        writer.key("received_at")
        writer.string(Timestamp(milliseconds: receivedAtMs).text)
        writer.key("reason")
        writer.string(reason)
        writer.key("size")
        writer.integer(Int64(size))
        writer.key("sha256")
        writer.string(sha256)
        writer.endObject()
        return writer.bytes
    }
}
