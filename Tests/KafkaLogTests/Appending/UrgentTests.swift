import EventLog
import Events
import Kafka
import TestSupport
import Testing

@testable import KafkaLog

@Suite("A decision's record") struct UrgentTests {
    private static let lanes = Lanes(layout: DeskWorld.layout)
    private static let decisions = Int(DeskWorld.layout.index(.visitorSigninRequested, shard: 0))

    private func submission(_ count: Int, isUrgent: Bool = false) -> Submission {
        Submission(
            events: (0..<count).map { DeskWorld.arrival($0) }, quarantined: [], byteCount: count, isUrgent: isUrgent,
            completion: { _ in })
    }

    @Test("is taken before everything that waits, and has room when others have none")
    func inbox() throws {
        let inbox = AppendInbox(maximumRecords: 100, maximumBytes: 1000)
        #expect(inbox.submit(submission(20_000)) == nil)
        #expect(inbox.submit(submission(1))?.code == .unavailable)
        for _ in 0..<25 { #expect(inbox.submit(submission(1, isUrgent: true)) == nil) }
        #expect(inbox.submit(submission(1, isUrgent: true))?.code == .unavailable, "it is bounded too")
        let sizes: [Int] = try #require(inbox.take(until: 0)).map { event in
            if case .append(let submission) = event { submission.size } else { 0 }
        }
        #expect(sizes == Array(repeating: 1, count: 25) + [20_000])
        inbox.release(submission(1, isUrgent: true))
        #expect(inbox.submit(submission(1, isUrgent: true)) == nil)
        inbox.release(submission(20_000))
        #expect(inbox.submit(submission(1)) == nil)
    }

    @Test("goes to the producer before what waits for it, and when the others have filled their part of it")
    func producer() {
        var world = DeskWorld {
            $0.windowRecords = 32
            $0.laneWindow = 100
        }
        world.append((0..<200).map { DeskWorld.arrival($0) })
        #expect(world.producer.count == 30, "a part is left free")
        world.append(1000, lane: Self.decisions)
        world.append(1001, lane: Self.decisions)
        #expect(world.producer.suffix(2).map(\.lane) == [Self.decisions, Self.decisions])
        world.append(1002, lane: Self.decisions)
        #expect(world.producer.count == 32, "the producer is full")
        world.answer(atMost: 1)
        #expect(world.producer.last?.lane == Self.decisions, "what becomes free is a decision's first")
        world.settle()
        #expect(world.kafka[Self.decisions]?.count == 3 && world.kafka[0]?.count == 200)
    }

    @Test("is written to the spool before what waits for it, and its lane is read in order all the same")
    func spool() throws {
        let inbox = SpoolInbox(Self.lanes)
        func write(_ number: Int, _ lane: Int) -> SpoolOperation {
            .write(SpoolEntry(token: UInt64(number), lane: lane, item: DeskWorld.arrival(number, lane: lane).item))
        }
        inbox.add((0..<20_000).map { write($0, 0) })
        inbox.add([.load(lane: Self.decisions, from: 0, limit: 1, maximumBytes: 1), .delete(sequence: 7)])
        inbox.add([write(20_001, Self.decisions), write(20_002, Self.decisions)])
        let first = try #require(inbox.take(atMost: 4, until: 0))
        let tokens: [UInt64] = first.map { if case .write(let entry) = $0 { entry.token } else { 0 } }
        #expect(tokens == [20_001, 20_002, 0, 1])
        let rest = try #require(inbox.take(atMost: .max, until: 0))
        #expect(rest.count == 20_000)
        if case .load = rest[rest.count - 2], case .delete = rest[rest.count - 1] {
        } else {
            Issue.record("the order of the others is lost: \(rest.suffix(2))")
        }
    }

    @Test("is acknowledged before a batch of 20 000 events that came first")
    func batch() async throws {
        let cluster = try MockCluster()
        for type in ["visitor.signin", "visitor.signin.requested"] { cluster.create("test.\(type)", partitions: 3) }
        cluster.create("test.quarantine", partitions: 1)
        // Nothing goes out before both are there.
        cluster.goDown()
        let bench = AppenderWorkbench(cluster.brokers)
        let appender = try bench.open()
        bench.append(AppendBatch(records: (0..<20_000).map { AppenderWorkbench.record($0) }), as: 1, to: appender)
        bench.append(2, to: appender)
        #expect(await bench.failure(2)?.code == .unavailable, "there is no room for others")
        var decision = AppenderWorkbench.record(30_000)
        decision.type = CanonicalType.visitorSigninRequested.rawValue
        bench.append(AppendBatch(records: [decision], isUrgent: true), as: 3, to: appender)
        cluster.comeUp()
        _ = try #require(await bench.answer(3)).get()
        _ = try #require(await bench.answer(1)).get()
        #expect(bench.order == [2, 3, 1])
        _ = appender.close(within: .seconds(10))
    }
}
