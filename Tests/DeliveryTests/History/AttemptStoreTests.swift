import EventLog
import Events
import Foundation
import SQLite
import Targets
import TestSupport
import Testing

@testable import Delivery

@Suite("What the state file keeps of attempts")
struct AttemptStoreTests {
    private let folder = TemporaryDirectory()

    private func open() throws -> DeliveryStore {
        let store = try DeliveryStore.open(folder: folder.path)
        if try store.targets().isEmpty {
            try store.create(
                NewTarget(
                    name: "crm", type: "http", destination: "https://crm.example", createdAtMs: 5,
                    start: LogPosition(offsets: [0]), beforeStart: 0, systemBeforeStart: 0))
        }
        return store
    }

    private func place(_ offset: Int64) -> RecordPlace { RecordPlace(partition: 0, offset: offset) }
    private func id(_ offset: Int64) -> EventID { EventID(high: 1, low: UInt64(offset)) }

    private func entry(
        _ offset: Int64, _ number: Int, _ state: DeliveryState = .delivered, atMs: Int64? = nil,
        _ exchange: Exchange? = nil, batch: RequestedBatch? = nil, isAttempt: Bool = true, reason: String? = nil
    ) -> HistoryEntry {
        HistoryEntry(
            place: place(offset), id: id(offset), type: "visitor.signin", source: "london", receivedAtMs: 1000,
            state: state, attempts: number, atMs: atMs ?? 10_000 + Int64(number),
            status: state == .delivered ? 200 : 500,
            reason: reason ?? (state == .delivered ? nil : "http_500"), durationMs: 7,
            routes: RouteSet(id: 0, names: []), isAttempt: isAttempt, exchange: exchange, batch: batch)
    }

    private func entry(
        _ offset: Int64, _ number: Int, _ exchange: Exchange, atMs: Int64? = nil, batch: RequestedBatch? = nil
    ) -> HistoryEntry {
        entry(offset, number, .delivered, atMs: atMs, exchange, batch: batch)
    }

    private func commit(_ store: DeliveryStore, _ entries: [HistoryEntry]) throws {
        let cursor = TargetCursor(position: LogPosition(offsets: [100_000]))
        try store.commit([(1, TargetChange(cursor: cursor, operations: entries.map { .record($0) }))])
    }

    private func attempts(_ store: DeliveryStore, _ offset: Int64) throws -> [AttemptRow] {
        try store.attempts(at: place(offset))[1] ?? []
    }

    private func count(_ table: String) throws -> Int64? {
        let database = try Database(path: folder.file("state.db"), mode: .readOnly)
        return try database.integer("SELECT count(*) FROM \(table)")
    }

    private func holds(_ text: String, _ file: String) throws -> Bool {
        try Data(contentsOf: URL(fileURLWithPath: folder.file(file))).range(of: Data(text.utf8)) != nil
    }

    private func answer(_ text: String, header: String = "Server: nginx\r\n") -> Answer {
        Answer(headerLines: Array(header.utf8), body: Array(text.utf8))
    }

    private func exchange(_ body: String, _ answer: Answer? = nil, isKept: Bool = false) -> Exchange {
        Exchange(Array(body.utf8), version: nil, signedAtSeconds: 9, answer: answer, isKept: isKept)
    }

    @Test("every attempt is told, in order; what else happens to an event is none")
    func everyAttempt() throws {
        let store = try open()
        try commit(store, [entry(1, 0, .pending, isAttempt: false, reason: "waits_for_key"), entry(1, 1, .pending)])
        try commit(store, [entry(1, 2, .pending), entry(1, 3, .dead)])
        // A person takes it back, it fails again, and grows too old.
        try commit(store, [entry(1, 3, .pending, atMs: 20_000, isAttempt: false)])
        try commit(store, [entry(1, 4, .pending, atMs: 30_000)])
        try commit(store, [entry(1, 4, .dead, atMs: 40_000, isAttempt: false, reason: "too_old")])
        let found = try attempts(store, 1)
        #expect(found.map(\.number) == [1, 2, 3, 4])
        #expect(found.map(\.atMs) == [10_001, 10_002, 10_003, 30_000])
        #expect(found.map(\.reason) == ["http_500", "http_500", "http_500", "http_500"])
        let row = try #require(try store.deliveries(DeliveryFilter(), newest: 1).first)
        #expect(row.state == .dead && row.attempts == 4 && row.last?.reason == "too_old")
        #expect(try count("attempts") == 4)
    }

    /// An event that a connection took which acknowledges nothing.
    private func sent(_ offset: Int64, tries: Int, atMs: Int64) -> StateOperation {
        let entry = OpenEntry(
            place: place(offset), id: id(offset), type: "visitor.signin", source: "london", receivedAtMs: 1000,
            routes: RouteSet(id: 0, names: []), tries: tries, counted: 0, firstTried: Moment(monotonicMs: 0, wallMs: 5),
            dueMs: 0, reason: OpenEntry.sent)
        return .open(entry, payload: [1, 2], nextAtMs: atMs)
    }

    @Test("what a connection took and may yet lose is told as sent, unless it is known to be lost")
    func sentRows() throws {
        let store = try open()
        try commit(store, [entry(2, 1, .pending), entry(3, 1, .pending), entry(5, 1, .delivered)])
        let cursor = TargetCursor(position: LogPosition(offsets: [100_000]))
        let operations = [
            sent(1, tries: 1, atMs: 20_000), sent(2, tries: 2, atMs: 20_000), sent(3, tries: 1, atMs: 10_001),
            sent(40_000, tries: 1, atMs: 20_000),
        ]
        try store.commit([(1, TargetChange(cursor: cursor, operations: operations))])
        let rows = try store.deliveries(DeliveryFilter(), newest: 10)
        #expect(rows.map(\.place.offset) == [1, 2, 3, 5, 40_000])
        #expect(rows.map(\.isSent) == [true, true, false, false, true])
        #expect(rows.map(\.attempts) == [1, 2, 1, 1, 1])
        #expect(rows[0].state == .pending && rows[0].last?.atMs == 20_000 && rows[0].nextAtMs == nil)
        #expect(rows[2].last?.reason == "http_500")
        // By pages, in both directions.
        for limit in 1...3 {
            var (found, cursor): ([Int64], String?) = ([], nil)
            repeat {
                let page = try store.deliveries(DeliveryFilter(), after: cursor, limit: limit)
                found += page.rows.map(\.place.offset)
                cursor = page.next
            } while cursor != nil
            #expect(found == [1, 2, 3, 5, 40_000], "\(limit) a page")
            found = []
            repeat {
                let page = try store.deliveries(DeliveryFilter(), before: cursor, limit: limit)
                found += page.rows.map(\.place.offset)
                cursor = page.next
            } while cursor != nil
            #expect(found == [40_000, 5, 3, 2, 1], "\(limit) a page")
        }
        var filter = DeliveryFilter()
        filter.state = .delivered
        #expect(try store.deliveries(filter, newest: 10).map(\.place.offset) == [5])
        filter.state = .pending
        filter.target = "crm"
        #expect(try store.deliveries(filter, newest: 10).count == 4)
        for (offset, isSent) in [(1, true), (3, false)] as [(Int64, Bool)] {
            let record = LogRecord(
                place: place(offset), id: id(offset), type: "visitor.signin", receivedAtMs: 1000, source: "london",
                payload: [])
            let told = try store.deliveries(of: record)
            #expect(told.map(\.state) == [.pending], "it is not taken for one that no route took")
            #expect(told.map(\.isSent) == [isSent])
        }
    }

    @Test("an attempt whose number comes again after a restart is told beside the first")
    func repeatedNumber() throws {
        let store = try open()
        try commit(store, [entry(1, 1, .pending)])
        try commit(store, [entry(1, 1, .delivered, atMs: 50_000)])
        #expect(try attempts(store, 1).map(\.atMs) == [10_001, 50_000])
    }

    @Test("a delivered first attempt is one row, and the same answer one row for all")
    func oneRow() throws {
        let store = try open()
        let ok = answer("ok")
        try commit(store, (0..<500).map { entry($0, 1, exchange("body \($0)", ok)) })
        try commit(store, (500..<900).map { entry($0, 1, exchange("body \($0)", ok)) })
        #expect(try count("deliveries") == 900)
        #expect(try count("answers") == 1)
        for table in ["attempts", "batches", "sent_bodies"] { #expect(try count(table) == 0, "\(table)") }
        let request = try #require(try attempts(store, 777).first?.request)
        #expect(request.digest == exchange("body 777").digest)
        #expect(request.signedAtSeconds == 9)
        #expect(try store.answer(of: request) == ok)
        #expect(try store.sentBody(of: request) == nil)
    }

    @Test("answers that differ are told apart, and one that comes an hour later has a row of its own")
    func answers() throws {
        let store = try open()
        // More kinds of answers than are remembered.
        let entries = (0..<1000).map { entry($0, 1, exchange("x", answer("\($0 % 400)"))) }
        try commit(store, entries)
        for offset: Int64 in [0, 399, 400, 999] {
            let request = try #require(try attempts(store, offset).first?.request)
            #expect(try store.answer(of: request) == answer("\(offset % 400)"))
        }
        let rows = try #require(try count("answers"))
        #expect((400...1000).contains(rows))
        try commit(store, [entry(2000, 1, exchange("x", answer("399")), atMs: 10_000 + AnswerTable.lifetimeMs + 10)])
        #expect(try count("answers") == rows + 1)
    }

    @Test("what may authenticate somebody is masked in an answer's header, and long ones are cut")
    func maskedAnswers() throws {
        let store = try open()
        let received = answer(
            String(repeating: "é", count: 5000),
            header: "Set-Cookie: sid=s3cret\r\nX-Auth-Token: s3cret\r\nWWW-Authenticate: Basic\r\nDate: today\r\n")
        try commit(store, [entry(1, 1, exchange("x", received))])
        let request = try #require(try attempts(store, 1).first?.request)
        let kept = try #require(try store.answer(of: request))
        #expect(kept.headers.map(\.value) == ["***", "***", "Basic", "today"])
        #expect(kept.body.count == 4096 && kept.isCut)
        try store.close()
        #expect(try !holds("s3cret", "state.db") && !holds("s3cret", "state.db-wal"))
    }

    @Test("the bytes of a failed attempt are kept once, however often the same is sent, and cut at 64 KiB")
    func keptBytes() throws {
        let store = try open()
        let long = String(repeating: "a", count: 100_000)
        for number in 1...4 { try commit(store, [entry(1, number, .pending, exchange(long, isKept: true))]) }
        try commit(store, [entry(1, 5, exchange(long))])
        #expect(try count("sent_bodies") == 1)
        let found = try attempts(store, 1)
        #expect(found.count == 5)
        for attempt in found {
            let request = try #require(attempt.request)
            let body = try #require(try store.sentBody(of: request))
            #expect(body.bytes.count == 64 << 10 && body.size == 100_000)
        }
    }

    @Test("the events of a batch share what is kept of its request")
    func batches() throws {
        let store = try open()
        let places = [place(3), place(1), RecordPlace(partition: 2, offset: Int64.max / 3)]
        let failed = RequestedBatch(places, exchange("[3,1]", answer("no"), isKept: true))
        try commit(store, [entry(1, 1, .pending, failed.exchange, batch: failed)])
        let sent = RequestedBatch([place(3), place(1)], exchange("[3,1]", answer("yes")))
        try commit(store, [entry(3, 1, sent.exchange, batch: sent), entry(1, 2, sent.exchange, batch: sent)])
        #expect(try count("batches") == 2)
        let requests = try attempts(store, 1).map { try #require($0.request) }
        #expect(try requests.map { try store.members(of: $0) } == [places, [place(3), place(1)]])
        #expect(requests.map(\.digest) == [failed.exchange.digest, sent.exchange.digest])
        #expect(requests.map(\.signedAtSeconds) == [9, 9])
        #expect(try store.answer(of: requests[1]) == answer("yes"))
        #expect(try store.sentBody(of: requests[0])?.bytes == Array("[3,1]".utf8))
        #expect(try attempts(store, 3).first?.request?.isBatch == true)
    }

    @Test("a commit that fails and is made again keeps the answer and the batch it had")
    func failedCommit() throws {
        let store = try open()
        let sent = RequestedBatch([place(1), place(2)], exchange("[1,2]", answer("yes")))
        let change = TargetChange(
            cursor: TargetCursor(position: LogPosition(offsets: [20])),
            operations: [1, 2].map { .record(entry($0, 1, sent.exchange, batch: sent)) })
        #expect(throws: (any Error).self) {
            try store.commit([
                (1, change), (999, TargetChange(cursor: change.cursor, operations: [])),
            ])
        }
        try store.commit([(1, change)])
        let request = try #require(try attempts(store, 2).first?.request)
        #expect(try store.answer(of: request) == answer("yes"))
        #expect(try store.members(of: request) == [place(1), place(2)])
        #expect(try count("batches") == 1)
    }

    @Test("numbers of answers are not given twice, although old answers are gone")
    func numbers() throws {
        let store = try open()
        try commit(store, [entry(1, 1, .pending, exchange("x", answer("old")))])
        let request = try #require(try attempts(store, 1).first?.request)
        #expect(try store.trimAttempts(beforeMs: Int64.max / 2, versions: [], nowMs: 0) == false)
        try store.close()
        let again = try open()
        try commit(again, [entry(2, 1, exchange("x", answer("new")))])
        #expect(try again.answer(of: request) == nil)
    }

    @Test("history goes with time, and what happened lately to an old event stays")
    func trimming() throws {
        let store = try open()
        let version = TargetVersion(hash: "v1", source: Array("{}".utf8))
        let old = Exchange([1], version: version, answer: answer("old"), isKept: true)
        let batch = RequestedBatch([place(7), place(8)], exchange("[7,8]"))
        try commit(
            store,
            [
                entry(1, 1, .pending, old), entry(1, 2, .pending, old), entry(1, 3, old), entry(2, 1, old),
                entry(3, 1, old, atMs: 90_000), entry(7, 1, batch.exchange, batch: batch),
            ])
        #expect(try !store.trimHistory(before: LogPosition(offsets: [100]), endedBeforeMs: 50_000))
        #expect(try store.deliveries(DeliveryFilter(), newest: 10).map(\.place.offset) == [3])
        let lifetime = AnswerTable.lifetimeMs
        #expect(try !store.trimAttempts(beforeMs: 50_000, versions: ["v1"], nowMs: 60_000))
        #expect(try count("attempts") == 0)
        #expect(try count("batches") == 0)
        #expect(try count("answers") == 1, "rows of an hour later may refer to it")
        #expect(try count("sent_bodies") == 1)
        #expect(try !store.trimAttempts(beforeMs: 50_000 + lifetime, versions: ["v1"], nowMs: 60_000 + lifetime))
        for table in ["answers", "sent_bodies"] { #expect(try count(table) == 0, "\(table)") }
        #expect(try count("target_versions") == 1)
        _ = try store.trimAttempts(beforeMs: 0, versions: [], nowMs: 70_000)
        _ = try store.trimAttempts(beforeMs: 70_000 + lifetime, versions: [], nowMs: 80_000)
        #expect(try count("target_versions") == 1, "not as long as rows of its time may be there")
        _ = try store.trimAttempts(beforeMs: 70_001 + lifetime, versions: [], nowMs: 80_000)
        #expect(try count("target_versions") == 0)
        try commit(store, [entry(4, 1, old)])
        let request = try #require(try attempts(store, 4).first?.request)
        #expect(try store.version(of: request) == version)
    }

    @Test("what has to stay does not keep the rest from going")
    func trimmingPastPending() throws {
        let store = try open()
        try commit(store, (0..<9000).map { entry($0, 1, $0 < 8000 ? .pending : .delivered) })
        for _ in 0..<20 { _ = try store.trimHistory(before: LogPosition(offsets: [100_000])) }
        #expect(try count("deliveries") == 8000)
    }

    @Test("erasing an event takes its bytes and its answers, and leaves that it was sent")
    func erasure() throws {
        let store = try open()
        let shared = answer("echo Ada")
        try commit(
            store,
            [
                entry(1, 1, .pending, exchange("Ada", shared, isKept: true)), entry(1, 2, exchange("Ada", shared)),
                entry(2, 1, .pending, exchange("Bob", isKept: true)),
            ])
        #expect(try store.erase(id(1)) == 1)
        let found = try attempts(store, 1)
        #expect(found.count == 2)
        for attempt in found {
            let request = try #require(attempt.request)
            #expect(try store.sentBody(of: request) == nil)
            #expect(try store.answer(of: request)?.body == [])
        }
        let other = try #require(try attempts(store, 2).first?.request)
        #expect(try store.sentBody(of: other) != nil)
        try commit(store, [entry(3, 1, exchange("Cleo", shared))])
        let third = try #require(try attempts(store, 3).first?.request)
        #expect(try store.answer(of: third) == shared)
        #expect(try store.erase(id(2), at: place(2)) == 1)
        try store.close()
        #expect(try !holds("Bob", "state.db"))
    }

    @Test("a file of before there was a history of attempts is taken over with its rows")
    func migration() throws {
        let path = DeliveryStore.path(in: folder.path)
        do {
            let database = try Database(path: path, mode: .create)
            try database.useWriteAheadLog(.normal)
            try database.migrate(Array(StoreSchema.migrations.prefix(2)))
            try database.execute(
                """
                INSERT INTO targets (name, type, destination, created_at, start, before_start, system_before_start,
                position) VALUES ('crm', 'http', 'd', 1, '0', 0, 0, '9');
                INSERT INTO names VALUES (1, 'visitor.signin'), (2, 'london'), (3, 'http_500');
                INSERT INTO route_sets VALUES (1, 'a');
                INSERT INTO deliveries VALUES
                (0, 5, 1, x'00000000000000010000000000000005', 1, 2, 3, 0, 2, 4, 500, 3, 6, 7, 1);
                """)
        }
        let store = try open()
        let row = try #require(try store.deliveries(DeliveryFilter(), newest: 5).first)
        #expect(row.event == id(5) && row.attempts == 2 && row.targetID == 1)
        let attempt = try #require(try attempts(store, 5).first)
        #expect(attempt.number == 2 && attempt.reason == "http_500" && attempt.request == nil)
        try commit(store, [entry(5, 3, exchange("x"))])
        #expect(try attempts(store, 5).map(\.number) == [2, 3])
    }
}
