import EventLog
import Events
import Foundation
import JSON
import SQLite
import TestSupport
import Testing

@testable import Delivery

@Suite struct DeliveryStoreTests {
    private let folder = TemporaryDirectory()
    private let now = Moment(monotonicMs: 50_000, wallMs: 1_700_000_000_000)

    private func open(_ targets: [String] = ["crm"]) throws -> DeliveryStore {
        let store = try DeliveryStore.open(folder: folder.path)
        let known = try store.targets().map(\.name)
        for name in targets where !known.contains(name) {
            try store.create(
                NewTarget(
                    name: name, type: "http", destination: "https://\(name).example", createdAtMs: 5,
                    start: LogPosition(offsets: [10]), beforeStart: 10, systemBeforeStart: 1))
        }
        return store
    }

    private func place(_ offset: Int64) -> RecordPlace { RecordPlace(partition: 0, offset: offset) }

    private func entry(_ offset: Int64, _ state: DeliveryState = .delivered, routes: RouteSet) -> HistoryEntry {
        HistoryEntry(
            place: place(offset), id: EventID(high: 1, low: UInt64(offset)), type: "visitor.signin", source: "london",
            receivedAtMs: 1000 + offset, state: state, attempts: 1, atMs: 2000 + offset, status: 200,
            durationMs: 7, routes: routes)
    }

    @Test("the file and its companions are for the owner's eyes only")
    func permissions() throws {
        let store = try open()
        try store.commit([(1, TargetChange(cursor: TargetCursor(position: LogPosition(offsets: [10])), operations: []))]
        )
        for suffix in ["", "-wal"] {
            #expect(try permissions(of: folder.file("state.db" + suffix)) == 0o600)
        }
    }

    @Test("a target's cursor, holes, counters and wishes come back as they were written")
    func cursorRoundTrip() throws {
        let store = try open(["crm", "siem"])
        var cursor = TargetCursor(position: LogPosition(offsets: [77, 0, 5]))
        cursor.holes = [place(70), RecordPlace(partition: 2, offset: Int64.max / 3)]
        cursor.counters.delivered = 1
        cursor.counters.filtered = 2
        cursor.counters.dead = 3
        cursor.counters.discarded = 4
        cursor.counters.expired = 5
        cursor.counters.system = 6
        cursor.isPaused = true
        cursor.disabledReason = "http_410"
        cursor.failingSinceMs = 99
        try store.commit([(2, TargetChange(cursor: cursor, operations: []))])
        let targets = try open(["crm", "siem"]).targets()
        #expect(targets.map(\.name) == ["crm", "siem"])
        #expect(targets[1].cursor == cursor)
        #expect(targets[0].cursor == TargetCursor(position: LogPosition(offsets: [10])))
        #expect(targets[0].beforeStart == 10)
        #expect(targets[0].systemBeforeStart == 1)
        #expect(try store.furthestPosition()?.offsets == [77])
    }

    @Test("open events come back with their tries, and become dead letters with their text")
    func openEvents() throws {
        let store = try open()
        let routes = store.routeSet(["a", "b"])
        var open = OpenEntry(
            place: place(12), id: EventID(high: 3, low: 4), type: "visitor.signin", source: "london", receivedAtMs: 6,
            routes: routes, tries: 1, counted: 1, firstTried: now, dueMs: 60_000, reason: "http_400")
        let cursor = TargetCursor(position: LogPosition(offsets: [13]))
        try store.commit([
            (
                1,
                TargetChange(
                    cursor: cursor, operations: [.open(open, payload: [1, 2, 3], nextAtMs: now.wallMs + 10_000)])
            )
        ])
        open.tries = 2
        open.reason = "http_422"
        try store.commit([
            (1, TargetChange(cursor: cursor, operations: [.postpone(open, nextAtMs: now.wallMs + 20_000)]))
        ])

        let again = try DeliveryStore.open(folder: folder.path)
        let record = try #require(try again.openEvents(1).first)
        #expect(record.place == place(12))
        #expect(record.id == EventID(high: 3, low: 4))
        #expect(record.tries == 2)
        #expect(record.counted == 1)
        #expect(record.routes.names == ["a", "b"])
        #expect(record.reason == "http_422")
        #expect(record.nextAtMs == now.wallMs + 20_000)
        #expect(record.firstTriedAtMs == now.wallMs)
        #expect(try again.openPayload(1, place(12)) == [1, 2, 3])
        #expect(try again.openPayload(1, place(13)) == nil)
        #expect(try again.targets()[0].openCount == 1)

        let letter = DeadLetter(
            place: place(12), id: record.id, type: record.type, source: record.source, receivedAtMs: 6,
            routes: routes, atMs: 8, reason: "http_422", attempts: 5, status: 422, message: "It was refused.",
            response: [9], payload: .openRow)
        try again.commit([(1, TargetChange(cursor: cursor, operations: [.bury(letter)]))])
        #expect(try again.openEvents(1).isEmpty)
        let row = try #require(try again.deadLetters(newest: 10).first)
        #expect(row.payload == [1, 2, 3])
        #expect(row.routes == ["a", "b"])
        #expect(row.response == [9])
        #expect(row.status == 422)
        #expect(row.message == "It was refused.")
    }

    @Test("a commit that fails leaves nothing behind, and what it wanted to write can be written again")
    func failedCommit() throws {
        let store = try open()
        let cursor = TargetCursor(position: LogPosition(offsets: [20]))
        let history = StateOperation.record(entry(15, routes: store.routeSet(["new"])))
        #expect(throws: (any Error).self) {
            try store.commit([
                (1, TargetChange(cursor: cursor, operations: [history])),
                (999, TargetChange(cursor: cursor, operations: [])),
            ])
        }
        #expect(try store.targets()[0].cursor.position.offsets == [10])
        #expect(try store.deliveries(DeliveryFilter(), newest: 10).isEmpty)
        try store.commit([(1, TargetChange(cursor: cursor, operations: [history]))])
        let row = try #require(try store.deliveries(DeliveryFilter(), newest: 10).first)
        #expect(row.routes == ["new"])
        #expect(row.type == "visitor.signin")
    }

    @Test("deliveries are listed newest or page by page, by target, type, source, time and state")
    func listing() throws {
        let store = try open(["crm", "siem"])
        let routes = store.routeSet(["a"])
        var operations: [[StateOperation]] = [[], []]
        for offset in stride(from: Int64(10), to: 60_010, by: 20) {
            operations[0].append(.record(entry(offset, offset % 40 == 10 ? .dead : .delivered, routes: routes)))
            operations[1].append(.record(entry(offset, routes: routes)))
        }
        let cursor = TargetCursor(position: LogPosition(offsets: [60_010]))
        try store.commit([
            (1, TargetChange(cursor: cursor, operations: operations[0])),
            (2, TargetChange(cursor: cursor, operations: operations[1])),
        ])

        var filter = DeliveryFilter()
        #expect(try pages(store, filter).count == 6000)
        filter.target = "crm"
        let all = try pages(store, filter)
        #expect(all.map(\.place.offset) == Array(stride(from: Int64(10), to: 60_010, by: 20)))
        #expect(try store.deliveries(filter, newest: 2500) == all.suffix(2500))
        #expect(try store.deliveries(filter, newest: 3) == all.suffix(3))
        filter.state = .dead
        #expect(try pages(store, filter).count == 1500)
        #expect(try store.deliveries(filter, newest: 2).map(\.place.offset) == [59_930, 59_970])
        filter.sinceMs = 1000 + 59_930
        #expect(try pages(store, filter).count == 2)
        filter = DeliveryFilter()
        filter.event = EventID(high: 1, low: 30_010)
        #expect(try pages(store, filter).map(\.target) == ["crm", "siem"])
        filter = DeliveryFilter()
        filter.type = "visitor.signout"
        #expect(try pages(store, filter).isEmpty)
        filter.type = "visitor.signin"
        filter.source = "london"
        #expect(try store.deliveries(filter, newest: 5).count == 5)
        filter.target = "nobody"
        #expect(try store.deliveries(filter, newest: 5).isEmpty)
        #expect(throws: DeliveryStoreError.self) { try store.deliveries(DeliveryFilter(), after: "x") }
    }

    private func pages(_ store: DeliveryStore, _ filter: DeliveryFilter) throws -> [DeliveryRow] {
        var result: [DeliveryRow] = []
        var cursor: String?
        repeat {
            let page = try store.deliveries(filter, after: cursor)
            #expect(page.rows.count <= 1000)
            result += page.rows
            cursor = page.next
        } while cursor != nil
        return result
    }

    @Test("an event's states tell apart what was delivered, filtered by which plan, not read yet, and before the start")
    func oneEvent() throws {
        let store = try open(["crm", "siem"])
        try store.begin(
            plan: "first", for: [(1, LogPosition(offsets: [10])), (2, LogPosition(offsets: [10]))], nowMs: 1)
        var crm = TargetCursor(position: LogPosition(offsets: [15]))
        crm.holes = [place(14)]
        try store.commit([
            (1, TargetChange(cursor: crm, operations: [.record(entry(11, routes: store.routeSet(["a"])))]))
        ])
        try store.begin(
            plan: "second", for: [(1, LogPosition(offsets: [13])), (2, LogPosition(offsets: [10]))], nowMs: 2)
        func states(_ offset: Int64, erased: Bool = false) throws -> [String] {
            let record = LogRecord(
                place: place(offset), id: EventID(high: 1, low: UInt64(offset)), type: "visitor.signin",
                receivedAtMs: 1, source: "london", payload: erased ? [] : [1])
            return try store.deliveries(of: record).map { "\($0.target) \($0.state.name) \($0.plan ?? "-")" }
        }
        #expect(try states(9) == [])
        #expect(try states(11) == ["crm delivered -", "siem pending -"])
        #expect(try states(12) == ["crm filtered first", "siem pending -"])
        #expect(try states(13) == ["crm filtered second", "siem pending -"])
        #expect(try states(14) == ["crm pending -", "siem pending -"])
        #expect(try states(12, erased: true) == ["crm discarded -", "siem pending -"])

        #expect(try store.trimHistory(before: LogPosition(offsets: [12])) == false)
        #expect(try states(11) == ["siem pending -"], "what is forgotten is not called filtered")
        #expect(try states(12) == ["crm filtered first", "siem pending -"])
    }

    @Test("old history goes, what is pending stays")
    func trimming() throws {
        let store = try open()
        let routes = store.routeSet(["a"])
        let operations = (10..<2510).map {
            StateOperation.record(entry($0, $0 % 500 == 10 ? .pending : .delivered, routes: routes))
        }
        try store.commit([
            (1, TargetChange(cursor: TargetCursor(position: LogPosition(offsets: [2510])), operations: operations))
        ])
        var steps = 0
        while try store.trimHistory(before: LogPosition(offsets: [2010])) { steps += 1 }
        #expect(steps == 1)
        let left = try store.deliveries(DeliveryFilter(), newest: 3000)
        #expect(left.count { $0.state == .pending } == 5)
        #expect(left.count == 504)
    }

    @Test("the ledger of refusals keeps the newest, by source and time, and shows what was only just noted")
    func refusals() throws {
        let store = try open()
        for number in 0..<12_500 {
            store.refuse(
                RefusalEntry(
                    atMs: Int64(number), source: number % 2 == 0 ? "london" : nil, address: "192.0.2.7",
                    code: "signature_mismatch", detail: "The signature does not match.", size: number, sha256: "ab"))
            if number % 1000 == 0 { try store.flushRefusals() }
        }
        let newest = try store.refusals(newest: 3)
        #expect(newest.map(\.atMs) == [12_497, 12_498, 12_499])
        #expect(newest.map(\.source) == [nil, "london", nil])
        #expect(
            try store.refusals(source: "london", sinceMs: 12_490, newest: 100).map(\.atMs) == [
                12_490, 12_492, 12_494, 12_496, 12_498,
            ])
        var count = 0
        var cursor: String?
        repeat {
            let page = try store.refusals(after: cursor)
            count += page.entries.count
            cursor = page.next
        } while cursor != nil
        #expect(count == DeliveryStore.maximumRefusals)
        let readOnly = try DeliveryStore.openReadOnly(folder: folder.path)
        #expect(try readOnly.refusals(newest: 1).first?.atMs == 12_499)
    }

    @Test("a flood of refusals costs bounded memory and keeps the newest")
    func flood() {
        let buffer = RefusalBuffer()
        for number in 0..<100_000 {
            buffer.append(RefusalEntry(atMs: Int64(number), source: nil, address: nil, code: "c", detail: "d"))
        }
        let kept = buffer.take()
        #expect(kept.count <= RefusalBuffer.limit)
        #expect(kept.last?.atMs == 99_999)
        #expect(buffer.isEmpty)
    }

    @Test("rows print as the contract has them")
    func json() throws {
        let store = try open()
        var failed = entry(11, .pending, routes: store.routeSet(["a \"quoted\" route", "b"]))
        failed.status = nil
        failed.reason = "connect_refused"
        failed.nextAtMs = 3000
        try store.commit([
            (1, TargetChange(cursor: TargetCursor(position: LogPosition(offsets: [12])), operations: [.record(failed)]))
        ])
        var writer = JSONWriter()
        try store.deliveries(DeliveryFilter(), newest: 1)[0].appendJSON(to: &writer)
        #expect(
            String(decoding: writer.bytes, as: UTF8.self) == """
                {"event":"0000000000000001000000000000000b","type":"visitor.signin","source":"london",\
                "received_at":"1970-01-01T00:00:01.011Z","target":"crm","state":"pending","attempts":1,\
                "last":{"at":"1970-01-01T00:00:02.011Z","status":null,"reason":"connect_refused","duration_ms":7},\
                "next_at":"1970-01-01T00:00:03.000Z","routes":["a \\"quoted\\" route","b"]}
                """)
        writer.removeAll()
        RefusalEntry(atMs: 1, source: nil, address: "192.0.2.7", code: "c", detail: "d", size: 5).appendJSON(
            to: &writer)
        #expect(
            String(decoding: writer.bytes, as: UTF8.self)
                == #"{"at":"1970-01-01T00:00:00.001Z","source":null,"address":"192.0.2.7","code":"c","detail":"d","size":5,"sha256":null}"#
        )
    }

    @Test("a folder without a state file says so, and a file of a newer version is left alone")
    func strangeFiles() throws {
        #expect(throws: DeliveryStoreError.self) { try DeliveryStore.openReadOnly(folder: folder.path) }
        _ = try open()
        let database = try Database(path: folder.file("state.db"), mode: .readWrite)
        try database.execute("PRAGMA user_version = 99")
        #expect(throws: SQLiteError.self) { try DeliveryStore.open(folder: folder.path) }
    }

    private func permissions(of path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require((attributes[.posixPermissions] as? NSNumber)?.intValue)
    }
}
