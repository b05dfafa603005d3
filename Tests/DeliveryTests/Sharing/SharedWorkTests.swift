import EventLog
import Events
import Logging
import Metrics
import Rules
import Synchronization
import Targets
import TestSupport
import Testing

@testable import Delivery

/// One of several engines on one log.
private final class Instance {
    let number: Int
    let target = ScriptedTarget()
    let engine: DeliveryEngine
    private let folder = TemporaryDirectory()

    init(
        _ number: Int, _ cluster: MemoryCluster, _ log: MemoryEventLog,
        _ adjust: (inout TargetSettings) -> Void = { _ in }
    ) throws {
        self.number = number
        let store = try DeliveryStore.open(folder: folder.path, keepsHistory: false)
        let made = target
        engine = try DeliveryEngine(
            log: log, store: store, keeper: cluster.keeper(number), plan: try Self.plan,
            blueprints: [
                ScriptedBlueprint("crm", adjust)
            ], metrics: MetricsRegistry(), logger: .silent, adjust: quickRetries
        ) { _ in made }
        try engine.start()
    }

    deinit { engine.stop(within: .zero) }

    static var plan: RulePlan {
        get throws { try rulePlan("routes:\n  - {name: all, to: [crm]}\n", targets: ["crm"]) }
    }
}

/// Looks again until it holds; false after twenty seconds.
private func eventually(_ condition: () -> Bool) -> Bool {
    let deadline = Moment.now().monotonicMs + 20_000
    while !condition() {
        guard Moment.now().monotonicMs < deadline else { return false }
        WakeUp.pause(milliseconds: 2)
    }
    return true
}

@Suite("Instances that share the work")
struct SharedWorkTests {
    private let log = MemoryEventLog(partitions: 6)
    private let cluster = MemoryCluster(partitions: 6)

    @discardableResult
    private func append(_ numbers: Range<UInt64>) async throws -> Set<EventID> {
        let records = numbers.map { newRecord($0) }
        _ = try await withCheckedThrowingContinuation { continuation in
            log.append(AppendBatch(records: records)) { continuation.resume(with: $0) }
        }
        return Set(records.map(\.id))
    }

    /// Every event of the log has ended, and was kept so.
    private func hasEnded() -> Bool {
        cluster.position("crm") == log.head
            && cluster.counters("crm").finished == log.count(from: log.beginning, to: log.head)
    }

    @Test("one that is alone has all of the work; what moves to another one in order is delivered once")
    func orderly() async throws {
        let first = try Instance(1, cluster, log)
        try await append(0..<300)
        #expect(eventually(hasEnded))
        let second = try Instance(2, cluster, log)
        for round in 1...10 as ClosedRange<UInt64> {
            try await append(round * 300..<round * 300 + 300)
            cluster.move(Int(round % 3), of: "crm", to: round % 2 == 0 ? 1 : 2)
        }
        #expect(eventually(hasEnded))
        let received = first.target.received + second.target.received
        #expect(received.count == 3300 && Set(received).count == 3300)
        #expect(!second.target.received.isEmpty)
        #expect(cluster.counters("crm").delivered == 3300)
    }

    @Test("one that stops in order hands everything over, what is on its way first")
    func stop() async throws {
        let first = try Instance(1, cluster, log)
        #expect(eventually { cluster.owners(of: "crm").count == 3 })
        let second = try Instance(2, cluster, log)
        first.target.answer { _ in .after(milliseconds: 100, delivered) }
        try await append(0..<40)
        #expect(eventually { !first.target.received.isEmpty })
        first.engine.stop(within: .seconds(10))
        #expect(eventually(hasEnded))
        let received = first.target.received + second.target.received
        #expect(received.count == 40 && Set(received).count == 40)
        #expect(Set(cluster.owners(of: "crm").values) == [2])
    }

    @Test("after a crash the next one has every event, and only what was on its way twice")
    func crash() async throws {
        let first = try Instance(1, cluster, log)
        let ids = try await append(0..<200)
        #expect(eventually(hasEnded))
        first.target.answer { _ in .never }
        let later = try await append(200..<400)
        #expect(eventually { first.target.received.count >= 208 })
        let second = try Instance(2, cluster, log)
        cluster.replace(1, by: 2, isTold: false)
        #expect(eventually(hasEnded))
        #expect(second.target.receivedSet == later)
        #expect(second.target.received.count == 200)
        #expect(first.target.receivedSet.isSuperset(of: ids))
        #expect(cluster.counters("crm").delivered == 400)
        first.target.release(delivered)
    }

    @Test("one that lost its shards forgets them: what was on its way ends for nobody, and it sends nothing more")
    func lost() async throws {
        let first = try Instance(1, cluster, log)
        first.target.answer { _ in .never }
        let ids = try await append(0..<100)
        #expect(eventually { first.target.received.count == 8 })
        let second = try Instance(2, cluster, log)
        cluster.replace(1, by: 2, isTold: true)
        #expect(eventually(hasEnded))
        #expect(second.target.receivedSet == ids)
        first.target.always(delivered)
        first.target.release(delivered)
        try await append(100..<200)
        #expect(eventually(hasEnded))
        #expect(first.target.received.count == 8)
        #expect(cluster.counters("crm").delivered == 200)
        // It may have shards again, and has room for as many requests as ever.
        first.target.answer { _ in .never }
        for shard in 0..<3 { cluster.move(shard, of: "crm", to: 1) }
        #expect(eventually { Set(cluster.owners(of: "crm").values) == [1] })
        try await append(200..<300)
        #expect(eventually { first.target.received.count == 16 })
        first.target.release(delivered)
    }

    @Test("what is on its way when a shard has to go is given up at the deadline, and its late end changes nothing")
    func deadline() async throws {
        let first = try Instance(1, cluster, log)
        first.target.answer { _ in .never }
        let ids = try await append(0..<50)
        #expect(eventually { first.target.received.count == 8 })
        let second = try Instance(2, cluster, log)
        for shard in 0..<3 { cluster.move(shard, of: "crm", to: 2, withinMs: 700) }
        #expect(eventually(hasEnded))
        #expect(second.target.receivedSet == ids)
        first.target.release(delivered)
        for shard in 0..<3 { cluster.move(shard, of: "crm", to: 1) }
        #expect(eventually { Set(cluster.owners(of: "crm").values) == [1] })
        first.target.always(delivered)
        let more = try await append(50..<100)
        #expect(eventually(hasEnded))
        #expect(first.target.receivedSet.isSuperset(of: more))
        #expect(cluster.counters("crm").delivered == 100)
    }

    @Test("failed events and dead letters go along, with their texts, tries and accounts")
    func openEventsMove() async throws {
        let first = try Instance(1, cluster, log) { $0.attempts = 2 }
        first.target.always(badRequest)
        let ids = try await append(0..<30)
        #expect(eventually { cluster.deadLetters("crm").count == 30 })
        #expect(cluster.counters("crm").dead == 30)
        let second = try Instance(2, cluster, log) { $0.attempts = 2 }
        for shard in 0..<3 { cluster.move(shard, of: "crm", to: 2) }
        #expect(eventually { Set(cluster.owners(of: "crm").values) == [2] })
        #expect(eventually { (try? second.engine.store.deadLetters(newest: 100).count) == 30 })
        #expect(try first.engine.store.deadLetters(newest: 100).isEmpty)
        second.target.always(serverError)
        #expect(try second.engine.decide(.requeue, DeadLetterFilter(), by: "test") == 30)
        #expect(eventually { second.target.receivedSet == ids })
        for shard in 0..<3 { cluster.move(shard, of: "crm", to: 1) }
        first.target.always(delivered)
        #expect(eventually(hasEnded))
        #expect(cluster.counters("crm").delivered == 30 && cluster.counters("crm").dead == 0)
    }

    @Test("a pause, a resumption and what the target itself switched off are known to every instance")
    func standing() async throws {
        let first = try Instance(1, cluster, log)
        #expect(eventually { cluster.owners(of: "crm").count == 3 })
        let second = try Instance(2, cluster, log)
        cluster.move(1, of: "crm", to: 2)
        #expect(eventually { cluster.owners(of: "crm")[1] == 2 })
        try first.engine.pause("crm")
        #expect(eventually { second.engine.targets()[0].standing == .paused })
        try await append(0..<20)
        let third = try Instance(3, cluster, log)
        cluster.move(2, of: "crm", to: 3)
        #expect(eventually { third.engine.targets()[0].standing == .paused && cluster.owners(of: "crm")[2] == 3 })
        #expect(first.target.received.isEmpty && second.target.received.isEmpty && third.target.received.isEmpty)
        try second.engine.resume("crm")
        #expect(eventually(hasEnded))
        let all = [first, second, third]
        for instance in all { instance.target.always(failure("http_410", .gone, status: 410)) }
        try await append(20..<40)
        #expect(eventually { all.allSatisfy { $0.engine.targets()[0].standing == .disabled(why: "http_410") } })
        #expect(all.allSatisfy { $0.engine.waitUntilIdle(within: .seconds(20)) })
        for instance in all { instance.target.always(delivered) }
        try third.engine.resume("crm")
        #expect(eventually(hasEnded))
    }

    @Test("while too much waits to be kept nothing new is begun")
    func backlog() async throws {
        let first = try Instance(1, cluster, log)
        #expect(eventually { cluster.owners(of: "crm").count == 3 })
        cluster.setBacklog(50_000, of: 1)
        try await append(0..<20)
        #expect(!first.engine.waitUntilIdle(within: .milliseconds(200)))
        #expect(first.target.received.isEmpty)
        cluster.setBacklog(0, of: 1)
        #expect(eventually(hasEnded))
        #expect(first.target.received.count == 20)
    }

    @Test("the repeat of an event is passed and counted, and not sent")
    func repeats() async throws {
        let first = try Instance(1, cluster, log)
        let ids = try await append(0..<20)
        for id in ids { log.repeatRecord(id) }
        let more = try await append(20..<30)
        #expect(eventually { cluster.position("crm") == log.head })
        #expect(first.target.received.count == 30 && first.target.receivedSet == ids.union(more))
        #expect(cluster.counters("crm").skipped == 20 && cluster.counters("crm").delivered == 30)
    }

    @Test("a target that is not configured any more is left, and its shards go to others")
    func leaving() async throws {
        let first = try Instance(1, cluster, log)
        #expect(eventually { cluster.owners(of: "crm").count == 3 })
        let second = try Instance(2, cluster, log)
        try first.engine.reload(plan: .empty, blueprints: [])
        #expect(eventually { Set(cluster.owners(of: "crm").values) == [2] })
        try await append(0..<20)
        #expect(eventually(hasEnded))
        #expect(second.target.received.count == 20)
        try first.engine.forget("crm")
        try first.engine.reload(plan: try Instance.plan, blueprints: [ScriptedBlueprint("crm")])
        cluster.move(0, of: "crm", to: 1)
        #expect(eventually { cluster.owners(of: "crm")[0] == 1 })
        try await append(20..<60)
        #expect(eventually(hasEnded))
        #expect(!first.target.received.isEmpty)
    }

    @Test("a replay is carried out by the owner of the first shard, and goes on where that goes")
    func replay() async throws {
        let first = try Instance(1, cluster, log)
        let ids = try await append(0..<100)
        #expect(eventually(hasEnded))
        let second = try Instance(2, cluster, log)
        let ends = Ends()
        for instance in [first, second] { instance.engine.onReplay = { ends.add($0) } }
        let request = ReplayRequest(target: "crm", sinceMs: 0)
        let (start, end, events) = try first.engine.replayRange(request, at: cluster.position("crm"))
        #expect(start == log.beginning && end == log.head && events == 100)
        var replay = MirroredReplay(
            number: 0, request: request, by: "test", createdAtMs: Moment.now().wallMs, start: start, end: end,
            events: events, cursor: TargetCursor(position: start))
        #expect(throws: DeliveryStoreError.self) { try second.engine.takeUp(SharedReplay(replay)) }

        // Some are taken, some refused, and some never answered before the shard has to go.
        let refused = ids.sorted { $0.low < $1.low }.prefix(3)
        first.target.answer { event in
            guard let id = event.event.id else { return .never }
            if refused.contains(id) { return .now(badRequest) }
            return id.low % 3 == 0 ? .never : .now(delivered)
        }
        let skipped = RecordPlace(partition: end.offsets[0] > 0 ? 0 : 1, offset: 0)
        try first.engine.takeUp(SharedReplay(replay, unfinished: [skipped]))
        try first.engine.takeUp(SharedReplay(replay))
        #expect(eventually { first.target.received.count > 100 && first.engine.targets()[0].inFlight == 0 })
        cluster.move(0, of: "crm", to: 2, withinMs: 900)
        #expect(eventually { cluster.owners(of: "crm")[0] == 2 })
        #expect(eventually { second.engine.ownedShards(of: "crm").contains(0) })
        #expect(try first.engine.replays().isEmpty)

        let kept = KeptReplay(cluster.keptReplays)
        #expect(kept.cursor.holes.count > 0)
        replay.cursor = kept.cursor
        try second.engine.takeUp(SharedReplay(replay, open: kept.open, dead: kept.dead, unfinished: [skipped]))
        #expect(eventually { ends.phases == [.ended] })
        let final = KeptReplay(cluster.keptReplays)
        #expect(final.cursor.counters.finished == 100 && final.cursor.counters.skipped == 1)
        #expect(final.cursor.counters.delivered >= 96 && final.open.isEmpty)
        let replayed = Set(first.target.received.dropFirst(100)).union(second.target.received)
        #expect(replayed.count == 99)
        first.target.release(delivered)
        #expect(hasEnded())
    }
}

/// What an engine has told of replays.
private final class Ends: Sendable {
    private let content = Mutex<[MirroredReplay.Phase]>([])

    var phases: [MirroredReplay.Phase] { content.withLock { $0 } }
    func add(_ replay: MirroredReplay) { content.withLock { $0.append(replay.phase) } }
}

/// A replay as it stands after everything that was kept of it.
private struct KeptReplay {
    var cursor = TargetCursor(position: LogPosition(offsets: []))
    private var opened: [RecordPlace: RestoredShard.Open] = [:]
    private var buried: [RecordPlace: DeadLetter] = [:]

    var open: [RestoredShard.Open] { Array(opened.values) }
    var dead: [DeadLetter] { Array(buried.values) }

    init(_ changes: [KeptChange]) {
        for change in changes {
            #expect(change.replay == 0 && change.partitions.isEmpty)
            cursor = change.change.cursor
            for operation in change.change.operations { take(operation, change.payloads) }
        }
    }

    private mutating func take(_ operation: StateOperation, _ payloads: [RecordPlace: [UInt8]]) {
        let place = operation.place
        switch operation {
        case .open(let entry, _, let nextAtMs), .postpone(let entry, let nextAtMs), .requeue(let entry, let nextAtMs):
            let record = RestoredTarget.OpenRecord(
                keptAt: place, id: entry.id, type: entry.type, source: entry.source, receivedAtMs: entry.receivedAtMs,
                routes: entry.routes, tries: entry.tries, counted: entry.counted,
                firstTriedAtMs: entry.firstTried.wallMs, nextAtMs: nextAtMs, reason: entry.reason, size: 0,
                key: entry.key, requeuedAtMs: entry.requeuedAtMs)
            opened[place] = RestoredShard.Open(
                record: record, routes: entry.routes.names, payload: payloads[place] ?? [])
        case .close: opened[place] = nil
        case .bury(let letter):
            opened[place] = nil
            buried[place] = letter
            buried[place]?.payload = .text(payloads[place] ?? [])
        case .discard, .trim: buried[place] = nil
        case .record: break
        }
    }
}
