import EventLog
import Events
import Kafka
import Testing

@testable import KafkaLog

@Suite struct AppendDeskTests {
    private static let full = LogFailure(.full, "full")

    private func isSuccess(_ world: DeskWorld, _ batch: UInt64) -> Bool {
        if case .success = world.answers[batch] { true } else { false }
    }

    private func id(_ number: Int) -> EventID { DeskWorld.arrival(number).item.id }

    private func ids(_ numbers: ClosedRange<Int>) -> [EventID] { numbers.map { id($0) } }

    @Test("A batch is answered when the last of its records is reported, with their places")
    func answer() throws {
        var world = DeskWorld()
        let batch = world.append(1, 2)
        world.answer(atMost: 1)
        #expect(world.answers[batch] == nil)
        world.answer()
        let outcomes = try #require(world.answers[batch]).get()
        #expect(
            outcomes == [
                .appended(RecordPlace(partition: 0, offset: 0)), .appended(RecordPlace(partition: 0, offset: 1)),
            ])
        #expect(world.desk.recent.place(of: id(2)) == RecordPlace(partition: 0, offset: 1))
        #expect(world.operations.isEmpty && world.desk.isDone)
    }

    @Test("Without a report in time an event is answered when the spool has synced it, and not before")
    func spooling() throws {
        var world = DeskWorld()
        world.isAway = true
        let batch = world.append(1)
        world.advance(milliseconds: 1999)
        #expect(world.operations.isEmpty)
        world.advance(milliseconds: 1)
        #expect(world.operations.count == 1 && world.answers[batch] == nil)
        world.spool()
        #expect(try #require(world.answers[batch]).get() == [.appended(RecordPlace(partition: 0, offset: -1))])
        #expect(world.rows.count == 1)
    }

    @Test("A late report deletes the spooled copy, and nothing is published twice")
    func lateReport() {
        var world = DeskWorld()
        world.isAway = true
        world.append(1)
        world.advance(milliseconds: 2000)
        world.spool()
        world.advance(milliseconds: 10_000)
        #expect(world.producer.count == 1)
        world.settle()
        #expect(world.kafka[0] == [id(1)] && world.rows.isEmpty && world.publishedTwice.isEmpty)
    }

    @Test("A report that comes while the copy is being written deletes the copy as soon as it is")
    func reportWhileWriting() {
        var world = DeskWorld()
        world.isAway = true
        let batch = world.append(1)
        world.advance(milliseconds: 2000)
        world.isAway = false
        world.answer()
        #expect(isSuccess(world, batch))
        world.spool()
        #expect(world.rows.isEmpty && world.desk.isDone)
    }

    @Test("Later events of a lane go behind what is spooled of it, in order, and others go their way")
    func behind() {
        var world = DeskWorld()
        world.lanesAway = [0]
        world.append(1)
        world.advance(milliseconds: 1000)
        world.append(100, lane: 1)
        world.answer()
        world.advance(milliseconds: 1000)
        world.append(2)
        world.append(3)
        #expect(world.producer.map(\.id) == [id(1)])
        world.append(101, lane: 1)
        #expect(world.producer.map(\.id) == [id(1), id(101)])
        world.spool()
        #expect(world.rows.map(\.item.id) == ids(1...3))
        world.settle()
        #expect(world.kafka[0] == ids(1...3))
        #expect(world.kafka[1] == ids(100...101))
        #expect(world.rows.isEmpty)
    }

    @Test("When Kafka is known to be away, events of every lane are spooled at once")
    func away() {
        var world = DeskWorld()
        world.isAway = true
        world.append(1)
        world.advance(milliseconds: 2000)
        #expect(world.changes == [true])
        let batch = world.append(200, lane: 3)
        world.spool()
        #expect(isSuccess(world, batch))
        world.settle()
        #expect(world.changes == [true, false])
        #expect(world.kafka[3] == [id(200)] && world.rows.isEmpty)
    }

    @Test("While Kafka is away each lane finds out by one record whether it is back")
    func probes() {
        var world = DeskWorld()
        world.isAway = true
        world.append(1)
        world.advance(milliseconds: 2000)
        for number in 10..<40 { world.append(number, lane: 3) }
        world.spool()
        world.advance(milliseconds: 5000)
        world.spool()
        #expect(world.producer.map(\.lane) == [0, 3])
        world.settle()
        #expect(world.kafka[3] == ids(10...39))
    }

    @Test("New events follow directly once what was spooled is with the producer")
    func backToDirect() {
        var world = DeskWorld()
        world.isAway = true
        world.append(1)
        world.advance(milliseconds: 2000)
        world.append(2)
        world.spool()
        world.isAway = false
        world.answer(atMost: 1)
        world.spool()
        #expect(world.producer.map(\.id) == [id(2)])
        world.append(3)
        #expect(world.producer.map(\.id) == ids(2...3) && world.operations.isEmpty)
        world.settle()
        #expect(world.kafka[0] == ids(1...3))
    }

    @Test("A failure that may have been kept is published again, in order, by way of the spool")
    func failure() {
        var world = DeskWorld()
        let batches = (1...3).map { world.append($0) }
        world.keep(0)
        world.failProducer()
        #expect(world.answers.isEmpty)
        world.spool()
        #expect(batches.allSatisfy { isSuccess(world, $0) })
        world.settle()
        #expect(world.kafka[0] == [id(1)] + ids(1...3))
        #expect(world.rows.isEmpty)
    }

    @Test("A duplicate waits for the event it repeats and shares its answer, a refusal included")
    func duplicates() throws {
        var world = DeskWorld()
        let first = world.append(1)
        let second = world.append(1)
        #expect(world.answers.isEmpty && world.producer.count == 1)
        world.answer()
        #expect(try #require(world.answers[first]).get() == [.appended(RecordPlace(partition: 0, offset: 0))])
        #expect(try #require(world.answers[second]).get() == [.duplicate])
        #expect(try #require(world.answers[world.append(1)]).get() == [.duplicate])
        world.isAway = true
        let third = world.append(2)
        let fourth = world.append(2)
        world.advance(milliseconds: 2000)
        world.spool(failing: Self.full)
        for batch in [third, fourth] { #expect(world.answers[batch] == .failure(Self.full)) }
        #expect(world.desk.counters.statistics.sources["london"]?.duplicates == 2)
    }

    @Test("A duplicate of what is in the spool is answered at once")
    func duplicateOfSpooled() throws {
        var world = DeskWorld()
        world.isAway = true
        world.append(1)
        world.advance(milliseconds: 2000)
        world.spool()
        #expect(try #require(world.answers[world.append(1)]).get() == [.duplicate])
        world.crash()
        #expect(try #require(world.answers[world.append(1)]).get() == [.duplicate])
    }

    @Test("One event twice in a batch is appended once")
    func twiceInOneBatch() throws {
        var world = DeskWorld()
        let batch = world.append(1, 1)
        world.answer()
        let outcomes = try #require(world.answers[batch]).get()
        #expect(outcomes == [.appended(RecordPlace(partition: 0, offset: 0)), .duplicate])
    }

    @Test("Without a spool an event without a report in time is refused, and the next at once")
    func noSpool() throws {
        var world = DeskWorld { $0.spools = false }
        world.isAway = true
        let first = world.append(1)
        world.advance(milliseconds: 1999)
        #expect(world.answers.isEmpty)
        world.advance(milliseconds: 1)
        for batch in [first, world.append(2), world.append(1)] {
            guard case .failure(let failure) = world.answers[batch] else {
                Issue.record("it was not refused")
                continue
            }
            #expect(failure.code == .unavailable && failure.retryAfterSeconds > 0)
        }
        world.settle()
        #expect(world.kafka[0] == [id(1)] && world.desk.isDone)
        #expect(try #require(world.answers[world.append(1)]).get() == [.duplicate])
    }

    @Test("A full spool refuses, and an event of another lane then finds out whether Kafka is back")
    func fullSpool() {
        var world = DeskWorld()
        world.isAway = true
        let first = world.append(1)
        world.advance(milliseconds: 2000)
        world.spool(failing: Self.full)
        #expect(world.answers[first] == .failure(Self.full))
        let second = world.append(50, lane: 2)
        #expect(world.producer.map(\.lane) == [0, 2])
        world.isAway = false
        world.answer()
        #expect(isSuccess(world, second) && !world.desk.isKafkaAway)
        // It had been refused, and reached Kafka after all.
        #expect((try? world.answers[world.append(1)]?.get()) == [.duplicate])
    }

    @Test("A full queue of the producer is waited for, in order, and in the end the spool has it")
    func congestion() {
        var world = DeskWorld()
        world.append(1, 2, 3)
        let full = KafkaFailure(code: KafkaFailure.queueFull, message: "")
        let last = world.producer.removeLast()
        world.desk.report(last.token, .failure(full), now: world.now)
        world.run()
        #expect(world.producer.map(\.id) == ids(1...2))
        world.advance(milliseconds: 10)
        #expect(world.producer.map(\.id) == ids(1...3))
        world.settle()
        #expect(world.kafka[0] == ids(1...3) && world.answers.count == 1)
    }

    @Test("What Kafka never takes is refused while nobody has been told otherwise, and the others go on")
    func refusal() {
        var world = DeskWorld()
        world.refusals[id(2)] = KafkaFailure(code: "msg_size_too_large", message: "too large", concern: .record)
        let batches = (1...3).map { world.append($0) }
        world.answer()
        #expect(isSuccess(world, batches[0]) && isSuccess(world, batches[2]))
        guard case .failure(let failure) = world.answers[batches[1]] else {
            Issue.record("it was not refused")
            return
        }
        #expect(failure.code == .tooLarge && world.rows.isEmpty && world.desk.isDone)
    }

    @Test("What Kafka never takes and was acknowledged becomes a dead letter, with the reason, and draining goes on")
    func deadLetter() {
        var world = DeskWorld()
        world.isAway = true
        world.refusals[id(2)] = KafkaFailure(code: "topic_authorization_failed", message: "not permitted")
        world.append(1, 2, 3)
        world.advance(milliseconds: 2000)
        world.spool()
        world.settle()
        #expect(world.kafka[0] == [id(1), id(3)])
        #expect(world.deadLetters == [id(2)] && world.buried.count == 1)
        #expect(world.buried.values.allSatisfy { $0.hasPrefix("topic_authorization_failed: ") })
        #expect(world.rows.isEmpty)
    }

    @Test("Records that were refused for their batch's size are published one by one before any is given up")
    func batchTooLarge() {
        var world = DeskWorld()
        world.isAway = true
        world.append(1, 2, 3)
        world.advance(milliseconds: 2000)
        world.spool()
        world.crash()
        world.append(4)
        world.spool()
        let tooLarge = KafkaFailure(code: "msg_size_too_large", message: "too large", concern: .record)
        #expect(world.producer.count > 1)
        for (token, _, _, _) in world.producer { world.desk.report(token, .failure(tooLarge), now: world.now) }
        // The first was alone when it was handed over: what follows it proves nothing of it, and yet it is given up.
        world.producer = []
        world.run()
        world.settle()
        #expect(world.kafka[0]?.count == 4 - world.deadLetters.count && world.deadLetters.count <= 1)
    }

    @Test("A topic that is not there does not hold up the answer: the spool has the event until it is")
    func missingTopic() {
        var world = DeskWorld()
        world.areTopicsThere = false
        let batch = world.append(1)
        #expect(world.producer.isEmpty)
        world.advance(milliseconds: 2000)
        world.spool()
        #expect(isSuccess(world, batch) && !world.desk.isKafkaAway)
        world.areTopicsThere = true
        world.settle()
        #expect(world.kafka[0] == [id(1)])
    }

    @Test("What is spooled when the program is killed is published by the next, before what comes then")
    func restart() {
        var world = DeskWorld()
        world.isAway = true
        world.append(1, 2)
        world.advance(milliseconds: 2000)
        world.append(3)
        world.spool()
        world.crash()
        world.append(4)
        world.spool()
        world.settle()
        #expect(world.kafka[0] == ids(1...4) && world.rows.isEmpty)
    }

    @Test("The producer holds no more than its window, nor more of one lane than its share")
    func window() {
        var world = DeskWorld {
            $0.windowRecords = 30
            $0.urgentShare = 0
            $0.laneWindow = 20
        }
        for number in 0..<100 { world.append(number, lane: number % 4) }
        #expect(world.producer.count == 30)
        world.lanesAway = [0]
        world.answer()
        world.spool()
        for number in 100..<200 { world.append(number) }
        #expect(world.producer.filter { $0.lane == 0 }.count <= 20)
        world.settle()
        #expect(world.kafka[0]?.count == 125)
    }

    @Test("Sources are counted once an event: when it became durable")
    func counting() {
        var world = DeskWorld()
        world.isAway = true
        world.append([DeskWorld.arrival(1), DeskWorld.arrival(2, source: "sydney")])
        world.advance(milliseconds: 2000)
        #expect(world.desk.counters.statistics.accepted == 0)
        world.spool()
        world.settle()
        #expect(world.desk.counters.statistics.sources["london"]?.accepted == 1)
        #expect(world.desk.counters.statistics.sources["sydney"]?.accepted == 1)
        #expect(world.desk.counters.statistics.commits == 1)
    }
}
