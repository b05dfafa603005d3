import Events
import Foundation
import Testing

@testable import EventLog

@Suite("Every log")
struct ConformanceTests {
    let folder = TemporaryFolder()

    @Test("gives back what was appended, in order within a key", arguments: LogKind.allCases)
    func order(kind: LogKind) async throws {
        let log = try kind.open(in: folder)
        let start = log.head
        #expect(try log.readAll(from: start).isEmpty)
        for number in 0..<300 {
            let outcomes = try await log.append([record(number, payload: "payload \(number) é\u{0}")])
            guard case .appended = outcomes.first, outcomes.count == 1 else {
                Issue.record("not appended: \(outcomes)")
                return
            }
        }
        let records = try log.readAll(from: start, step: 17)
        #expect(records.count == 300)
        #expect(Set(records.map(\.id)).count == 300)
        var last: [Int: Int] = [:]
        for found in records {
            let number = try #require((0..<300).first { EventID(number: $0) == found.id })
            #expect(found.payload == Array("payload \(number) é\u{0}".utf8))
            #expect(found.type == "visitor.signin")
            #expect(found.source == "london")
            #expect(found.receivedAtMs == 1_700_000_000_000)
            #expect(last[number % 7] ?? -1 < number, "the order of a key")
            last[number % 7] = number
        }
    }

    @Test("reads nothing of a partition that a position leaves out, and counts none of it", arguments: LogKind.allCases)
    func leftOut(kind: LogKind) async throws {
        let log = try kind.open(in: folder)
        let start = log.head
        _ = try await log.append((0..<40).map { record($0) })
        let head = log.head
        let none = LogPosition.none(count: head.offsets.count)
        #expect(try log.readAll(from: none).isEmpty)
        #expect(log.count(from: none, to: head) == 0 && log.count(from: start, to: none) == 0)
        var found: [RecordPlace] = []
        for partition in head.offsets.indices {
            var position = none
            position.offsets[partition] = start.offsets[partition]
            let records = try log.readAll(from: position)
            #expect(records.allSatisfy { Int($0.place.partition) == partition })
            found += records.map(\.place)
        }
        #expect(found.count == 40)
        for place in found { #expect(try log.record(at: place)?.place == place) }
        let beyond = RecordPlace(partition: 0, offset: head.offsets[0])
        #expect(try log.record(at: beyond) == nil)
    }

    @Test("keeps by which secret a record was verified", arguments: LogKind.allCases)
    func verifiedBy(kind: LogKind) async throws {
        let log = try kind.open(in: folder)
        let names = ["LONDON_OLD", "LONDON_NEW", "", nil, "LONDON_NEW"]
        _ = try await log.append(names.enumerated().map { record($0, key: "one", verifiedBy: $1) })
        #expect(try log.readAll(from: log.beginning).map(\.verifiedBy) == names)
        _ = try await log.append([record(0, key: "one", verifiedBy: "ANOTHER")])
        #expect(try log.lookup(EventID(number: 0))?.verifiedBy == "LONDON_OLD", "a repeat changes nothing")
    }

    @Test("keeps by which secret a record was verified when its content is erased", arguments: LogKind.erasing)
    func verifiedByOfErased(kind: LogKind) async throws {
        let log = try kind.open(in: folder)
        _ = try await log.append([record(1, verifiedBy: "LONDON_NEW")])
        try log.erase(EventID(number: 1))
        let erased = try #require(try log.lookup(EventID(number: 1)))
        #expect(erased.isErased && erased.verifiedBy == "LONDON_NEW")
    }

    @Test("tells the place of each record, and reads it there", arguments: LogKind.allCases)
    func places(kind: LogKind) async throws {
        let log = try kind.open(in: folder)
        let outcomes = try await log.append((0..<50).map { record($0) })
        let records = try log.readAll(from: log.beginning)
        for (number, outcome) in outcomes.enumerated() {
            guard case .appended(let place) = outcome else {
                Issue.record("a duplicate")
                continue
            }
            #expect(records.first { $0.place == place }?.id == EventID(number: number))
            #expect(log.head.isPast(place))
            #expect(!log.beginning.isPast(place))
        }
    }

    @Test("keeps to the limits of a read, and gives one record however large", arguments: LogKind.allCases)
    func limits(kind: LogKind) async throws {
        let log = try kind.open(in: folder)
        let large = String(repeating: "x", count: 5000)
        _ = try await log.append((0..<10).map { record($0, key: "one", payload: large) })
        // A log may give fewer while it asks for more.
        for (records, bytes, expected) in [(3, Int.max, 3), (9, 10_000, 2), (9, 1, 1)] {
            var counts: Set<Int> = []
            let isReached = try await eventually {
                let batch = try log.read(from: log.beginning, maximumRecords: records, maximumBytes: bytes)
                counts.insert(batch.records.count)
                return batch.records.count == expected
            }
            #expect(isReached && counts.allSatisfy { $0 <= expected })
        }
        let none = try log.read(from: log.head, maximumRecords: 9, maximumBytes: 1)
        #expect(none.records.isEmpty)
        #expect(none.next == log.head)
    }

    @Test("counts exactly between any two positions", arguments: LogKind.allCases)
    func counts(kind: LogKind) async throws {
        let log = try kind.open(in: folder)
        let start = log.head
        _ = try await log.append((0..<100).map { record($0) })
        let middle = log.head
        _ = try await log.append((100..<130).map { record($0) } + [record(5)])
        #expect(log.count(from: start, to: middle) == 100)
        #expect(log.count(from: middle, to: log.head) == 30)
        #expect(log.count(from: start, to: log.head) == 130)
        #expect(log.count(from: log.head, to: start) == 0)
        var position = start
        var counted: Int64 = 0
        while position != log.head {
            let next = try log.read(from: position, maximumRecords: 7, maximumBytes: .max).next
            counted += log.count(from: position, to: next)
            position = next
        }
        #expect(counted == 130)
    }

    @Test("refuses a position it never gave", arguments: LogKind.allCases)
    func foreignPositions(kind: LogKind) async throws {
        let log = try kind.open(in: folder)
        _ = try await log.append((0..<10).map { record($0) })
        for offsets in [[Int64](), [1, 1], [1, 1, 1, 1]] {
            let failure = #expect(throws: LogFailure.self) {
                try log.read(from: LogPosition(offsets: offsets), maximumRecords: 1, maximumBytes: 1)
            }
            #expect(failure?.code == .unknownPosition)
        }
        var beyond = log.head
        beyond.offsets[0] += 1
        let failure = #expect(throws: LogFailure.self) {
            try log.read(from: beyond, maximumRecords: 1, maximumBytes: 1)
        }
        #expect(failure?.code == .unknownPosition)
    }

    @Test("keeps an event once, however often and however it is repeated", arguments: LogKind.allCases)
    func duplicates(kind: LogKind) async throws {
        let log = try kind.open(in: folder)
        let first = try await log.append([record(1), record(2), record(1)])
        #expect(first.map(isDuplicate) == [false, false, true])
        let second = try await log.append([record(2), record(3), record(1)])
        #expect(second.map(isDuplicate) == [true, false, true])
        #expect(log.count(from: log.beginning, to: log.head) == 3)
        let statistics = log.statistics()
        #expect(statistics.accepted == 3)
        #expect(statistics.duplicates == 3)
    }

    @Test("appends each of 3 000 concurrent events once, whoever sends it first", arguments: LogKind.allCases)
    func concurrentAppends(kind: LogKind) async throws {
        let log = try kind.open(in: folder)
        let outcomes = try await withThrowingTaskGroup(of: [AppendOutcome].self) { group in
            for number in 0..<3000 {
                group.addTask { try await log.append([record(number % 2000, source: "source \(number % 3)")]) }
            }
            var all: [AppendOutcome] = []
            for try await outcomes in group { all += outcomes }
            return all
        }
        #expect(outcomes.count == 3000)
        #expect(outcomes.count(where: isDuplicate) == 1000)
        #expect(Set(outcomes.filter { !isDuplicate($0) }).count == 2000)
        #expect(try Set(log.readAll(from: log.beginning).map(\.id)) == Set((0..<2000).map { EventID(number: $0) }))
        #expect(log.statistics().accepted == 2000)
        #expect(log.statistics().duplicates == 1000)
    }

    @Test("takes a batch of 20 000 and answers when all of it is kept", arguments: LogKind.allCases)
    func largeBatch(kind: LogKind) async throws {
        let log = try kind.open(in: folder)
        async let small = log.append([record(50_000)])
        let outcomes = try await log.append((0..<20_000).map { record($0) }, quarantined: [quarantined(7, key: "k")])
        #expect(outcomes.count == 20_000)
        #expect(!outcomes.contains(.duplicate))
        #expect(try await small.map(isDuplicate) == [false])
        #expect(log.count(from: log.beginning, to: log.head) == 20_001)
        #expect(log.statistics().quarantined == 1)
        let again = try await log.append((0..<20_000).map { record($0) })
        #expect(again.allSatisfy(isDuplicate))
    }

    @Test("wakes whoever waits for records, after they can be read", arguments: LogKind.allCases)
    func wakeUp(kind: LogKind) async throws {
        let log = try kind.open(in: folder)
        let seen = Box<Int64>(0)
        let start = log.beginning
        log.onAppend { [weak log] in
            guard let log else { return }
            seen.set(log.count(from: start, to: log.head))
        }
        _ = try await log.append([record(1), record(2)])
        #expect(try await eventually { seen.value == 2 })
    }

    @Test("finds the position of a time", arguments: LogKind.allCases)
    func times(kind: LogKind) async throws {
        let log = try kind.open(in: folder)
        let start: Int64 = 1_700_000_000_000
        for number in 0..<60 {
            _ = try await log.append([record(number, receivedAtMs: start + Int64(number / 2) * 1000)])
        }
        for second in [Int64(-1), 0, 1, 17, 29] {
            let position = try log.position(at: start + second * 1000)
            let after = try log.readAll(from: position)
            #expect(after.count == 60 - max(0, Int(second)) * 2)
            #expect(after.allSatisfy { $0.receivedAtMs >= start + second * 1000 })
        }
        #expect(try log.position(at: start + 30_000) == log.head)
    }

    @Test("counts by source, and its own events apart", arguments: LogKind.allCases)
    func statistics(kind: LogKind) async throws {
        let log = try kind.open(in: folder)
        _ = try await log.append([
            record(1, receivedAtMs: 5), record(2, receivedAtMs: 6, source: "sydney"),
            record(3, type: "system.source_silent", source: "gatehouse"), record(1),
            record(3, type: "system.source_silent"),
        ])
        let statistics = log.statistics()
        #expect(statistics.accepted == 2)
        #expect(statistics.duplicates == 1)
        #expect(statistics.system == 1)
        #expect(statistics.sources["london"]?.lastAcceptedMs == 5)
        #expect(statistics.sources["sydney"]?.lastAcceptedMs == 6)
        #expect(statistics.sources["gatehouse"] == nil)
        #expect(log.count(from: log.beginning, to: log.head) == 3)
    }

    @Test("finds an event by its id", arguments: LogKind.allCases)
    func lookup(kind: LogKind) async throws {
        let log = try kind.open(in: folder)
        _ = try await log.append((0..<700).map { record($0) })
        for number in [0, 1, 511, 512, 699] {
            #expect(try log.lookup(EventID(number: number))?.payload == record(number).payload)
        }
        #expect(try log.lookup(EventID(number: 700)) == nil)
    }

    @Test("lists the newest that match, oldest first", arguments: LogKind.allCases)
    func list(kind: LogKind) async throws {
        let log = try kind.open(in: folder)
        let start: Int64 = 1_700_000_000_000
        func times(_ records: [LogRecord]) -> [Int64] { records.map { $0.receivedAtMs - start } }
        for number in 0..<2500 where number % 500 == 0 {
            _ = try await log.append(
                (number..<number + 500).map {
                    record(
                        $0, type: $0 % 10 == 0 ? "visitor.signout" : "visitor.signin", receivedAtMs: start + Int64($0),
                        source: $0 % 2 == 0 ? "even" : "odd")
                })
        }
        _ = try await log.append([record(9000, type: "system.source_silent", receivedAtMs: start + 2600)])
        var filter = EventFilter()
        #expect(try times(log.list(filter, newest: 3)) == [2497, 2498, 2499])
        filter.types = ["visitor.signout"]
        #expect(try times(log.list(filter, newest: 3)) == [2470, 2480, 2490])
        #expect(try log.list(filter, newest: 10_000).count == 250)
        filter.sources = ["odd"]
        #expect(try log.list(filter, newest: 3).isEmpty)
        filter = EventFilter()
        filter.sinceMs = start + 2000
        filter.untilMs = start + 2400
        filter.predicate = { ($0.receivedAtMs - start) % 100 == 0 }
        #expect(try times(log.list(filter, newest: 99)) == [2000, 2100, 2200, 2300])
        filter = EventFilter()
        filter.includesSystem = true
        #expect(try log.list(filter, newest: 1).map(\.type) == ["system.source_silent"])
    }

    @Test("finds a person's events", arguments: LogKind.allCases)
    func find(kind: LogKind) async throws {
        let log = try kind.open(in: folder)
        _ = try await log.append(people(1000))
        #expect(try log.find(.visitorID(Array("visitor 42".utf8))).count == 10)
        #expect(try log.find(.returningID(Array("visitor 42".utf8))).isEmpty)
        let found = try log.find(.email(Array("jane@example.ORG".utf8)))
        #expect(Set(found.map(\.id)) == Set([0, 250, 500, 750].map { EventID(number: $0) }))
    }

    @Test("erases a person's events one by one, leaving their places", arguments: LogKind.erasing)
    func erase(kind: LogKind) async throws {
        let log = try kind.open(in: folder)
        _ = try await log.append(people(1000))
        let found = try log.find(.email(Array("jane@example.ORG".utf8)))
        for event in found { #expect(try log.erase(event.id)) }
        #expect(try !log.erase(found[0].id))
        #expect(try !log.erase(EventID(number: 5000)))
        #expect(try log.find(.email(Array("jane@example.org".utf8))).isEmpty)
        #expect(try log.find(.visitorID(Array("visitor 50".utf8))).count == 8)
        let records = try log.readAll(from: log.beginning)
        #expect(records.count == 1000)
        #expect(Set(records.filter(\.isErased).map(\.id)) == Set(found.map(\.id)))
        #expect(try log.lookup(found[0].id)?.isErased == true)
        #expect(try log.list(EventFilter(), newest: 2000).count == 996)
        #expect(try await log.append([record(250)]) == [.duplicate], "an erased event stays known")
    }

    private func people(_ count: Int) -> [NewRecord] {
        (0..<count).map { number in
            record(
                number, visitor: "visitor \(number % 100)", email: number % 250 == 0 ? "Jane@Example.org" : nil,
                payload: """
                    {"subject":"visitor/visitor \(number % 100)","data":{"visitor":{"id":"visitor \(number % 100)"\(
                        number % 250 == 0 ? #","email":"Jane@Example.org""# : "")}}}
                    """)
        }
    }

    @Test("says that it cannot erase where it cannot", arguments: LogKind.allCases.filter { !$0.erasesRecords })
    func cannotErase(kind: LogKind) async throws {
        let log = try kind.open(in: folder)
        _ = try await log.append([record(1)], quarantined: [quarantined(3, key: "a")])
        #expect(throws: LogFailure.self) { try log.erase(EventID(number: 1)) }
        #expect(throws: LogFailure.self) { try log.eraseQuarantined(key: "a") }
        #expect(try log.lookup(EventID(number: 1))?.isErased == false)
        #expect(try log.quarantined(source: nil, sinceMs: nil, newest: 10).count == 1)
    }

    @Test("quarantines an element once, and lists it without its bytes", arguments: LogKind.allCases)
    func quarantine(kind: LogKind) async throws {
        let log = try kind.open(in: folder)
        let elements = [quarantined(3, key: "a", bytes: "{\"id\": 1234"), quarantined(5, key: "b", bytes: nil)]
        #expect(try await log.append([record(1)], quarantined: elements).count == 1)
        #expect(try await log.append([], quarantined: elements).isEmpty)
        #expect(log.statistics().quarantined == 2)
        #expect(log.statistics().sources["guests"]?.quarantined == 2)
        let listed = try log.quarantined(source: nil, sinceMs: nil, newest: 10)
        #expect(listed.map(\.index) == [3, 5])
        #expect(listed.allSatisfy { $0.bytes == nil })
        #expect(listed[0].reason == "syntax at byte 1")
        #expect(try log.quarantined(source: "guests", sinceMs: 1_700_000_000_000, newest: 1).map(\.index) == [5])
        #expect(try log.quarantined(source: "other", sinceMs: nil, newest: 10).isEmpty)
        #expect(try log.quarantined(source: nil, sinceMs: 1_700_000_000_001, newest: 10).isEmpty)
        #expect(try log.quarantinedElement(key: "a") == elements[0])
        #expect(try log.quarantinedElement(key: "b")?.bytes == nil)
        #expect(try log.quarantined(containing: Array("1234".utf8)).map(\.key) == ["a"])
    }

    @Test("removes a quarantined element, which stays counted", arguments: LogKind.erasing)
    func eraseQuarantined(kind: LogKind) async throws {
        let log = try kind.open(in: folder)
        _ = try await log.append([], quarantined: [quarantined(3, key: "a"), quarantined(5, key: "b")])
        #expect(try log.eraseQuarantined(key: "a"))
        #expect(try !log.eraseQuarantined(key: "a"))
        #expect(try log.quarantined(source: nil, sinceMs: nil, newest: 10).map(\.key) == ["b"])
        #expect(log.statistics().quarantined == 2, "what happened stays counted")
    }

    @Test("an empty batch is answered", arguments: LogKind.allCases)
    func emptyBatch(kind: LogKind) async throws {
        let log = try kind.open(in: folder)
        #expect(try await log.append([]).isEmpty)
    }
}
