import EventLog
import Targets
import Testing

@testable import Delivery

@Suite("The state of a target that owns a part of the log")
struct ShardStateTests {
    private let now = Moment(monotonicMs: 1_000_000, wallMs: 1_700_000_000_000)

    private func state(_ adjust: (inout TargetPolicy) -> Void = { _ in }) -> TargetState {
        var policy = TargetPolicy()
        adjust(&policy)
        return TargetState.shared(partitions: 4, policy: policy, now, seed: 1)
    }

    /// Shard 0 has partitions 0 and 2, shard 1 the others.
    private func shard(
        _ number: Int, at positions: [Int64] = [0, 0], counters: TargetCounters = TargetCounters(),
        open: [LoggedEvent] = [], ahead: [RecordPlace: KnownState] = [:]
    ) -> RestoredShard {
        var partitions: [Int32: RestoredShard.Partition] = [:]
        for (index, position) in positions.enumerated() {
            partitions[Int32(number + 2 * index)] = RestoredShard.Partition(position: position)
        }
        partitions[Int32(number)]?.counters = counters
        return RestoredShard(
            shard: number, partitions: partitions, open: open.map(opened), ahead: ahead, createdAtMs: 0)
    }

    private func opened(_ event: LoggedEvent) -> RestoredShard.Open {
        let record = RestoredTarget.OpenRecord(
            place: event.place, id: event.id, type: event.type, source: event.source,
            receivedAtMs: event.receivedAtMs, routes: routes, tries: 1, counted: 1, firstTriedAtMs: now.wallMs,
            nextAtMs: now.wallMs, reason: "http_400")
        return RestoredShard.Open(record: record, routes: ["all"], payload: event.payload)
    }

    private func place(_ partition: Int32, _ offset: Int64) -> RecordPlace {
        RecordPlace(partition: partition, offset: offset)
    }

    @Test("owns nothing at first, and wants to read nothing")
    func nothing() {
        let state = state()
        #expect(state.ownedPartitions.isEmpty)
        #expect(state.position.isAtEnd(of: LogPosition(offsets: [9, 9, 9, 9])))
    }

    @Test("takes up what is kept of a shard, and is without it again after its release")
    func comesAndGoes() {
        var state = state()
        var counters = TargetCounters()
        counters.delivered = 6
        counters.dead = 1
        state.assign(shard(0, at: [8, 5], counters: counters, open: [event(3)]), now)
        state.assign(shard(1, at: [2, 1]), now)
        #expect(state.position == LogPosition(offsets: [8, 2, 5, 1]))
        #expect(state.openCount == 1 && state.counters == counters && state.countedHere == TargetCounters())
        #expect(state.changedPartitions(state.cursor).isEmpty, "nothing has changed since it was kept")
        state.pass(place(1, 2))
        state.take(event(8), routes)
        state.endRead(at: LogPosition(offsets: [9, 3, 5, 1]), now)
        state.beginRelease(of: [0, 2])
        #expect(state.readPosition == LogPosition(offsets: [-1, 3, -1, 1]))
        #expect(state.nextRequest(now).isEmpty)
        state.release([0, 2])
        #expect(state.position == LogPosition(offsets: [-1, 3, -1, 1]))
        #expect(state.openCount == 0 && state.unfinishedBeforePosition == 0)
        #expect(state.counters.filtered == 1 && state.counters.finished == 1 && state.countedHere.filtered == 1)
    }

    @Test("what is known beyond the position is passed and counted as what it is, and an open event only when it ends")
    func ahead() throws {
        var state = state()
        let ahead: [RecordPlace: KnownState] = [
            place(0, 0): .delivered, place(0, 1): .pending, place(0, 2): .dead, place(0, 3): .pending,
        ]
        state.assign(shard(0, open: [event(1), event(3)], ahead: ahead), now)
        // One of the open ones ends before the position has passed it, and the dead letter is sent again.
        for attempt in state.nextRequest(now) { state.finish(attempt.ticket, delivered, now) }
        let letter = DeadLetterRow(
            id: 1, event: event(2).id, place: place(0, 2), target: "crm", replay: nil, type: "visitor.signin",
            source: "london", receivedAtMs: 0, routes: ["all"], atMs: 0, reason: "http_400", attempts: 5, status: nil,
            message: "", response: [], payload: [1])
        state.requeue(letter, routes, now)
        #expect(state.counters == TargetCounters())
        for offset in 0..<4 as Range<Int64> {
            let isKnown = state.passKnown(place(0, offset), isSystem: false)
            #expect(isKnown)
        }
        let isKnown = state.passKnown(place(0, 4), isSystem: false)
        #expect(!isKnown)
        state.pass(place(0, 4))
        state.endRead(at: LogPosition(offsets: [5, -1, 0, -1]), now)
        #expect(state.position == LogPosition(offsets: [5, -1, 0, -1]))
        #expect(state.counters.delivered == 2 && state.counters.dead == 0 && state.counters.filtered == 1)
        #expect(state.counters.finished + Int64(state.openCount) == 5)
        while let attempt = state.nextRequest(now).first { state.finish(attempt.ticket, delivered, now) }
        #expect(state.counters.delivered == 4 && state.openCount == 0)
    }

    @Test("an open event that the target does not take any more is filtered for its reason, also beyond the position")
    func refusedAhead() throws {
        var state = state()
        state.assign(shard(0, at: [2, 0], open: [event(1), event(3), event(4)]), now)
        let attempts = (0..<3).compactMap { _ in state.nextRequest(now).first }
        #expect(attempts.count == 3)
        for attempt in attempts { state.refuse(attempt.ticket, .optedOut, now) }
        #expect(state.openCount == 0 && state.inFlightCount == 0 && state.requestsInFlight == 0)
        #expect(state.counters.filtered == 1 && state.counters.refused[.optedOut] == 1)
        #expect(state.takeChange().operations.count { if case .close = $0 { true } else { false } } == 3)
        state.pass(place(0, 2))
        for offset in 3...4 as ClosedRange<Int64> {
            let isKnown = state.passKnown(place(0, offset), isSystem: false)
            #expect(isKnown)
        }
        state.endRead(at: LogPosition(offsets: [5, -1, 0, -1]), now)
        #expect(state.counters.filtered == 4 && state.counters.refused[.optedOut] == 3)
        // As an owner before has left them.
        state.assign(shard(1, ahead: [place(1, 0): .refused(.noConsent), place(1, 1): .filtered]), now)
        for offset in 0...1 as ClosedRange<Int64> { _ = state.passKnown(place(1, offset), isSystem: false) }
        state.endRead(at: LogPosition(offsets: [5, 2, 0, 0]), now)
        #expect(state.counters.filtered == 6 && state.counters.refused[.noConsent] == 1)
        #expect(state.counters.refused.sum == 4 && state.changedPartitions(state.cursor)[1]?.counters.refused.sum == 1)
    }

    @Test("what the log has lost counts as expired, but not what is known of it")
    func lostAndKnown() {
        var state = state()
        state.assign(shard(0, ahead: [place(0, 2): .delivered]), now)
        state.lose(0, before: 5, count: 5)
        state.endRead(at: LogPosition(offsets: [5, -1, 0, -1]), now)
        #expect(state.counters.expired == 4 && state.counters.delivered == 1)
    }

    @Test("a request that was given up takes its place until it ends, and its end changes nothing else")
    func abandoned() throws {
        var state = state { $0.concurrency = 2 }
        state.assign(shard(0), now)
        state.assign(shard(1), now)
        state.take(event(0), routes)
        state.take(event(0, partition: 1), routes)
        state.take(event(1, partition: 1), routes)
        state.endRead(at: LogPosition(offsets: [1, 2, 0, 0]), now)
        let first = try #require(state.nextRequest(now).first)
        let second = try #require(state.nextRequest(now).first)
        state.beginRelease(of: [0, 2])
        #expect(state.inFlightCount(of: [0, 2]) == 1)
        state.abandon([0, 2], now)
        #expect(state.cursor.holes.contains(place(0, 0)), "the next owner sends it")
        state.release([0, 2])
        #expect(state.inFlightCount == 1 && state.requestsInFlight == 2)
        state.endRead(at: state.readPosition, now)
        #expect(state.nextRequest(now).isEmpty, "both places are taken")
        state.finish(first.ticket, delivered, now)
        #expect(state.counters == TargetCounters() && state.requestsInFlight == 1)
        state.finish(second.ticket, delivered, now)
        #expect(state.counters.delivered == 1 && state.requestsInFlight == 0)
    }

    @Test("a probe that was given up lets another one find out")
    func probe() throws {
        var state = state { $0.failuresBeforeWaiting = 1 }
        state.assign(shard(0), now)
        state.assign(shard(1), now)
        state.take(event(0), routes)
        state.endRead(at: LogPosition(offsets: [1, 0, 0, 0]), now)
        let failed = try #require(state.nextRequest(now).first)
        state.finish(failed.ticket, refused, now)
        let later = now.advanced(byMs: 400_000)
        _ = try #require(state.nextRequest(later).first)
        #expect(state.health.mode == .probing(place(0, 0)))
        state.abandon([0, 2], later)
        state.release([0, 2])
        #expect(state.health.mode == .waiting(untilMs: later.monotonicMs))
        #expect(state.room(later) > 0)
        state.take(event(0, partition: 1), routes)
        state.endRead(at: LogPosition(offsets: [-1, 1, -1, 0]), later)
        let next = try #require(state.nextRequest(later).first)
        #expect(next.place == place(1, 0))
    }

    @Test("nothing of partitions that are another's is ever too old")
    func expiry() {
        let end = LogPosition(offsets: [10, 10, 10, 10])
        let expiry = Expiry(tooOldBeforeMs: 5, end: end)
        #expect(!expiry.reaches(beyond: .none(count: 4)))
        #expect(!expiry.reaches(beyond: LogPosition(offsets: [10, -1, 12, -1])))
        #expect(expiry.reaches(beyond: LogPosition(offsets: [9, -1, 12, -1])))
    }

    @Test("the order of keys is kept over a release: those of the shard go together, others go on")
    func order() throws {
        var state = state { $0.ordersByKey = true }
        state.assign(shard(0), now)
        state.assign(shard(1), now)
        for offset in 0..<3 as Range<Int64> { state.take(event(offset, key: "a"), routes) }
        for offset in 0..<3 as Range<Int64> { state.take(event(offset, partition: 1, key: "b"), routes) }
        state.endRead(at: LogPosition(offsets: [3, 3, 0, 0]), now)
        let (first, second) = (state.nextRequest(now), state.nextRequest(now))
        #expect([first, second].flatMap { $0.map(\.place) } == [place(0, 0), place(1, 0)])
        #expect(state.nextRequest(now).isEmpty)
        state.abandon([0, 2], now)
        #expect(Set(state.cursor.holes.filter { $0.partition == 0 }.map(\.offset)) == [0, 1, 2])
        state.release([0, 2])
        #expect(state.nextRequest(now).isEmpty, "one of b is on its way")
        state.finish(second[0].ticket, delivered, now)
        let third = state.nextRequest(now)
        #expect(third.map(\.place) == [place(1, 1)])
        #expect(state.nextRequest(now).isEmpty)
    }

    @Test("a standing from elsewhere is taken over")
    func standing() {
        var state = state()
        state.assign(shard(0), now)
        state.take(event(0), routes)
        state.adopt(isPaused: true, disabledReason: nil)
        #expect(!state.isActive && state.nextRequest(now).isEmpty)
        state.adopt(isPaused: false, disabledReason: nil)
        #expect(state.isActive)
    }
}
