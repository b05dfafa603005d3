import EventLog
import Kafka
import Testing

@testable import Delivery
@testable import KafkaDelivery

@Suite("What is on its way into Kafka")
struct StateJournalTests {
    private func item(_ name: String, shard: Int = 0, step: Int = 0, isHistory: Bool = false) -> JournalBatch.Item {
        JournalBatch.Item(
            record: KafkaRecord(topic: "t", key: Array(name.utf8), value: []), step: step, shard: shard,
            guarding: isHistory ? nil : Int32(shard), isHistory: isHistory)
    }

    private func batch(_ items: [JournalBatch.Item], _ position: Int64, shard: Int = 0) -> JournalBatch {
        JournalBatch(
            items: items, commits: [Int32(shard): .init(position: position)],
            stamp: RecordStamp(epoch: 1, number: position), operations: max(1, items.count))
    }

    @Test("nothing is committed before every record of the batch, and of those before it, is acknowledged")
    func order() throws {
        var journal = StateJournal()
        journal.append(batch([item("a"), item("b")], 1))
        journal.append(batch([item("c")], 2))
        let records = journal.takeRecords(0)
        #expect(records.count == 3)
        journal.kept(records[2].id)
        journal.kept(records[0].id)
        let early = journal.takeCommit(0, isUrgent: true)
        #expect(early == nil)
        journal.kept(records[1].id)
        let taken = journal.takeCommit(0, isUrgent: true)
        let commit = try #require(taken)
        #expect(commit.partitions[0]?.position == 2 && commit.stamp.number == 2)
        #expect(!journal.isEmpty)
        journal.commitEnded(isKept: true, 0)
        #expect(journal.isEmpty && journal.operations == 0)
    }

    @Test("a record of a later step waits for those before it, and what comes after the batch waits for it")
    func steps() {
        var journal = StateJournal()
        journal.append(batch([item("dead"), item("retry", step: 1)], 1))
        journal.append(batch([item("next")], 2))
        let first = journal.takeRecords(0)
        #expect(first.map { String(decoding: $0.record.key!, as: UTF8.self) } == ["dead"])
        let blocked = journal.takeRecords(0)
        #expect(blocked.isEmpty)
        journal.kept(first[0].id)
        let rest = journal.takeRecords(0)
        #expect(rest.map { String(decoding: $0.record.key!, as: UTF8.self) } == ["retry", "next"])
    }

    private func names(_ records: [(id: StateJournal.ItemID, record: KafkaRecord)]) -> [String] {
        records.map { String(decoding: $0.record.key!, as: UTF8.self) }
    }

    @Test("a record of a later step waits for all of earlier steps, and for none of its own step or a later one")
    func allOfEarlierSteps() {
        var journal = StateJournal()
        journal.append(
            batch([item("a"), item("b"), item("c", step: 1), item("d"), item("e", step: 1), item("f", step: 2)], 1))
        let first = journal.takeRecords(0)
        #expect(names(first) == ["a", "b"])
        journal.kept(first[1].id)
        let early = journal.takeRecords(0)
        #expect(early.isEmpty, "the one right before is kept, but not the other")
        journal.kept(first[0].id)
        let second = journal.takeRecords(0)
        #expect(names(second) == ["c", "d"])
        journal.kept(second[1].id)
        let third = journal.takeRecords(0)
        #expect(names(third) == ["e"], "c is of the same step")
        journal.kept(third[0].id)
        let fourth = journal.takeRecords(0)
        #expect(fourth.isEmpty, "c is of an earlier step")
        journal.kept(second[0].id)
        let last = journal.takeRecords(0)
        #expect(names(last) == ["f"])
    }

    @Test("a record of a later step does not wait for those that nobody needs any more, once they have ended")
    func droppedSteps() {
        var journal = StateJournal()
        journal.append(batch([item("a", shard: 1), item("b", shard: 1), item("c", shard: 0, step: 1)], 1))
        let first = journal.takeRecords(0)
        #expect(names(first) == ["a", "b"])
        journal.kept(first[0].id)
        journal.drop([1]) { $0 == 1 }
        let early = journal.takeRecords(0)
        #expect(early.isEmpty, "b may still be written")
        let verdict = journal.failed(first[1].id, isForGood: false, 0)
        #expect(verdict == .nothing)
        let last = journal.takeRecords(0)
        #expect(names(last) == ["c"])
    }

    @Test("after a failure everything not committed goes out again, in order, once nothing is under way")
    func again() {
        var journal = StateJournal()
        journal.append(batch([item("a"), item("h", isHistory: true)], 1))
        journal.append(batch([item("b")], 2))
        let records = journal.takeRecords(0)
        journal.kept(records[1].id)
        let verdict = journal.failed(records[0].id, isForGood: false, 0)
        #expect(verdict == .again)
        let whileUnderWay = journal.takeRecords(60_000)
        #expect(whileUnderWay.isEmpty)
        journal.kept(records[2].id)
        let tooEarly = journal.takeRecords(0)
        #expect(tooEarly.isEmpty)
        #expect(journal.dueMs(0)! > 0)
        let second = journal.takeRecords(60_000)
        #expect(second.map { String(decoding: $0.record.key!, as: UTF8.self) } == ["a", "b"])
    }

    @Test("what was lost is not waited for, and an answer to it that comes later changes nothing")
    func lost() throws {
        var journal = StateJournal()
        journal.append(batch([item("a", shard: 0)], 1, shard: 0))
        journal.append(batch([item("b", shard: 1)], 2, shard: 1))
        let records = journal.takeRecords(0)
        journal.drop([0]) { $0 == 0 }
        journal.kept(records[1].id)
        #expect(journal.isSettled([0]) { $0 == 0 })
        #expect(!journal.isSettled([1]) { $0 == 1 })
        let verdict = journal.failed(records[0].id, isForGood: false, 0)
        #expect(verdict == .nothing)
        let taken = journal.takeCommit(0, isUrgent: true)
        let commit = try #require(taken)
        #expect(commit.partitions.keys.sorted() == [1])
        journal.commitEnded(isKept: true, 0)
        #expect(journal.isEmpty)
    }

    @Test("a record Kafka will not take holds back its partition alone, until a later one about the event is taken")
    func refused() throws {
        var journal = StateJournal()
        journal.append(batch([item("a", shard: 0)], 1, shard: 0))
        journal.append(batch([item("b", shard: 1)], 2, shard: 1))
        let records = journal.takeRecords(0)
        let verdict = journal.failed(records[0].id, isForGood: true, 0)
        #expect(verdict == .held)
        journal.kept(records[1].id)
        let taken = journal.takeCommit(0, isUrgent: true)
        let commit = try #require(taken)
        #expect(commit.partitions.keys.sorted() == [1])
        journal.commitEnded(isKept: true, 0)
        let none = journal.takeCommit(1000, isUrgent: true)
        #expect(none == nil)
        journal.append(batch([item("a", shard: 0)], 3, shard: 0))
        journal.kept(journal.takeRecords(0)[0].id)
        let later = journal.takeCommit(1000, isUrgent: true)
        #expect(later?.partitions[0]?.position == 3)
    }

    @Test("history that is too large is written shorter, then given up")
    func shorter() {
        var journal = StateJournal()
        var history = item("h", isHistory: true)
        history.shorter = KafkaRecord(topic: "t", key: Array("short".utf8), value: [])
        journal.append(batch([history], 1))
        let first = journal.takeRecords(0)
        let verdict = journal.failed(first[0].id, isForGood: true, 0)
        #expect(verdict == .shortened)
        let again = journal.takeRecords(0)
        #expect(again.map { String(decoding: $0.record.key!, as: UTF8.self) } == ["short"])
        let last = journal.failed(again[0].id, isForGood: true, 0)
        #expect(last == .dropped)
        let commit = journal.takeCommit(0, isUrgent: true)
        #expect(commit != nil)
    }

    @Test(
        "in whatever order answers come and whatever fails, all is kept in order and then committed",
        arguments: 1...300 as ClosedRange<UInt64>)
    func random(seed: UInt64) throws {
        var random = SeededRandom(seed)
        var journal = StateJournal()
        /// What a topic's partition holds, by key; and per batch the records it must hold when it is committed.
        var kept: [String: Int] = [:]
        var wanted: [(position: Int64, values: [String: Int])] = []
        var expected: [String: Int] = [:]
        var underWay: [(id: StateJournal.ItemID, record: KafkaRecord)] = []
        var commit: StateJournal.Commit?
        var committed: Int64 = 0
        var appended: Int64 = 0
        var nowMs: Int64 = 0
        while appended < 40 || !journal.isEmpty {
            nowMs += 7
            if appended < 40, random.chance(1, in: 2) {
                appended += 1
                var items: [JournalBatch.Item] = []
                for _ in 0..<Int.random(in: 0...4, using: &random) {
                    let name = "k\(Int.random(in: 0...5, using: &random))"
                    let value = Int(appended) * 100 + items.count
                    var item = item(name, step: items.last?.step ?? 0)
                    if random.chance(1, in: 5) { item.step += 1 }
                    item.record.value = Array("\(value)".utf8)
                    items.append(item)
                    expected[name] = value
                }
                wanted.append((appended, expected))
                journal.append(batch(items, appended))
            }
            underWay += journal.takeRecords(nowMs).map { ($0.id, $0.record) }
            if !underWay.isEmpty, random.chance(2, in: 3) {
                // A broker takes them in order.
                let (id, record) = underWay.removeFirst()
                let isTaken = !random.chance(1, in: 8)
                if isTaken || random.chance(1, in: 2) {
                    kept[String(decoding: record.key!, as: UTF8.self)] = Int(
                        String(decoding: record.value!, as: UTF8.self))!
                }
                if isTaken { journal.kept(id) } else { journal.failed(id, isForGood: false, nowMs) }
            }
            if commit == nil { commit = journal.takeCommit(nowMs, isUrgent: random.chance(1, in: 2)) }
            if let due = commit, random.chance(1, in: 3) {
                commit = nil
                let isKept = !random.chance(1, in: 4)
                if isKept, let position = due.partitions[0]?.position {
                    #expect(position >= committed)
                    #expect(due.stamp.number >= position)
                    committed = position
                }
                journal.commitEnded(isKept: isKept, nowMs)
            }
            // Whatever is committed is kept, or something newer of the same key is.
            for (key, value) in wanted.last(where: { $0.position <= committed })?.values ?? [:] {
                #expect(kept[key, default: 0] >= value)
            }
        }
        #expect(committed == appended && journal.operations == 0)
        #expect(kept == expected)
    }
}
