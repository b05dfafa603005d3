package import EventLog
package import Events
package import Targets

// What is read back from where a keeper has it is made from its parts.

extension RestoredTarget.OpenRecord {
    package init(
        keptAt place: RecordPlace, id: EventID, type: String, source: String, receivedAtMs: Int64, routes: RouteSet,
        tries: Int, counted: Int, firstTriedAtMs: Int64, nextAtMs: Int64, reason: String, size: Int, key: UInt64?,
        requeuedAtMs: Int64?
    ) {
        self.place = place
        self.id = id
        self.type = type
        self.source = source
        self.receivedAtMs = receivedAtMs
        self.routes = routes
        self.tries = tries
        self.counted = counted
        self.firstTriedAtMs = firstTriedAtMs
        self.nextAtMs = nextAtMs
        self.reason = reason
        self.size = size
        self.key = key
        self.requeuedAtMs = requeuedAtMs
    }
}

extension OpenEntry {
    package init(kept record: RestoredTarget.OpenRecord, routes: RouteSet) {
        place = record.place
        id = record.id
        type = record.type
        source = record.source
        receivedAtMs = record.receivedAtMs
        self.routes = routes
        tries = record.tries
        counted = record.counted
        firstTried = Moment(monotonicMs: 0, wallMs: record.firstTriedAtMs)
        dueMs = 0
        reason = record.reason
        size = record.size
        key = record.key
        requeuedAtMs = record.requeuedAtMs
    }
}

extension DeadLetter {
    package init(
        keptAt place: RecordPlace, id: EventID, type: String, source: String, receivedAtMs: Int64, routes: RouteSet?,
        atMs: Int64, reason: String, attempts: Int, status: Int?, message: String, response: [UInt8], payload: Payload
    ) {
        self.place = place
        self.id = id
        self.type = type
        self.source = source
        self.receivedAtMs = receivedAtMs
        self.routes = routes
        self.atMs = atMs
        self.reason = reason
        self.attempts = attempts
        self.status = status
        self.message = message
        self.response = response
        self.payload = payload
    }
}

extension HistoryEntry {
    package init(
        keptAt place: RecordPlace, id: EventID, type: String, source: String, receivedAtMs: Int64, state: DeliveryState,
        attempts: Int, atMs: Int64, status: Int?, reason: String?, durationMs: Int64, nextAtMs: Int64?,
        routes: RouteSet, isAttempt: Bool, exchange: Exchange?, batch: RequestedBatch?
    ) {
        self.place = place
        self.id = id
        self.type = type
        self.source = source
        self.receivedAtMs = receivedAtMs
        self.state = state
        self.attempts = attempts
        self.atMs = atMs
        self.status = status
        self.reason = reason
        self.durationMs = durationMs
        self.nextAtMs = nextAtMs
        self.routes = routes
        self.isAttempt = isAttempt
        self.exchange = exchange
        self.batch = batch
    }
}
