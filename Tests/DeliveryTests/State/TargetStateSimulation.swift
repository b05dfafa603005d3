import EventLog
import Targets
import Testing

@testable import Delivery

/// A log of three partitions, a state file that only knows what was committed, and receivers that misbehave: everything a
/// target's state meets, drawn from one seed.
private struct World {
    /// What of a target outlives a crash, kept the way the state file keeps it.
    struct File {
        var cursor = TargetCursor(position: LogPosition(offsets: [0, 0, 0]))
        var open: [RecordPlace: (entry: OpenEntry, nextAtMs: Int64)] = [:]
        var dead: Set<RecordPlace> = []

        mutating func apply(_ change: TargetChange) {
            cursor = change.cursor
            for operation in change.operations {
                switch operation {
                case .open(let entry, _, let nextAtMs): open[entry.place] = (entry, nextAtMs)
                case .postpone(let entry, let nextAtMs):
                    #expect(open[entry.place] != nil)
                    open[entry.place] = (entry, nextAtMs)
                case .close(let place): #expect(open.removeValue(forKey: place) != nil)
                case .bury(let letter):
                    let hadRow = open.removeValue(forKey: letter.place) != nil
                    if case .openRow = letter.payload { #expect(hadRow) }
                    #expect(dead.insert(letter.place).inserted)
                case .record, .requeue, .discard, .trim: break
                }
            }
        }

        func isFinished(_ place: RecordPlace) -> Bool {
            cursor.position.isPast(place) && open[place] == nil && !cursor.holes.contains(place)
        }
    }

    enum Fate {
        case good, filtered, badForever, serverErrorForever
        /// The target takes it when it comes, and not any more when it is to be tried, or tried again.
        case optsOut
    }

    var random: SplitMix64
    var now = Moment(monotonicMs: 5_000, wallMs: 1_700_000_000_000)
    var log: [[LoggedEvent]] = [[], [], []]
    var fates: [RecordPlace: Fate] = [:]
    var file = File()
    var state: TargetState
    var policy = TargetPolicy()
    var inFlight: [(request: [Attempt], endsMs: Int64)] = []
    var keys: [RecordPlace: String] = [:]
    /// Of each key, the places of good events in the order they were delivered.
    var deliveries: [String: [RecordPlace]] = [:]
    var receipts: [RecordPlace: Int] = [:]
    /// Crashes that found the event on its way or finished but not committed.
    var excuses: [RecordPlace: Int] = [:]
    var outage: Range<Int64>?
    var crashes = 0

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
        policy.concurrency = Int.random(in: 1...8, using: &random)
        policy.window = Int.random(in: 4...40, using: &random)
        policy.maximumOpen = Int.random(in: 10...60, using: &random)
        policy.ordersByKey = seed % 2 == 1
        // Behind one bad event all of its key must find room, or nothing is left that could show that the target works.
        if policy.ordersByKey { policy.maximumOpen = 1000 }
        if seed % 3 == 1 {
            policy.batch = BatchPolicy(
                maximumEvents: Int.random(in: 2...20, using: &random), maximumBytes: 100_000,
                everyMs: Int64.random(in: 0...500, using: &random))
        }
        if seed % 4 == 2 { policy.rate = TokenBucket.Rate(amount: 20, perMs: 1000) }
        state = TargetState(RestoredTarget(cursor: file.cursor), policy: policy, now, seed: seed)
    }

    var head: LogPosition { LogPosition(offsets: log.map { Int64($0.count) }) }

    mutating func append() {
        let fate: Fate =
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<30: .filtered
            case 30..<34: .badForever
            case 34..<36: .serverErrorForever
            case 36..<42: .optsOut
            default: .good
            }
        append(of: "\(Int.random(in: 0...3, using: &random))", fate)
    }

    private mutating func append(of name: String, _ fate: Fate) {
        let partition = Int32.random(in: 0...2, using: &random)
        let place = RecordPlace(partition: partition, offset: Int64(log[Int(partition)].count))
        let key = "\(partition)/\(name)"
        keys[place] = key
        log[Int(partition)].append(event(place.offset, partition: partition, receivedAtMs: now.wallMs, key: key))
        fates[place] = fate
    }

    mutating func read() {
        for hole in state.holesToLoad {
            let event = log[Int(hole.partition)][Int(hole.offset)]
            if fates[hole] == .filtered {
                state.drop(hole, as: \.filtered)
            } else {
                state.fill(hole, with: event, routes, now)
            }
        }
        var room = state.room(now)
        while room > 0 {
            let open = (0..<3).filter { state.readPosition.offsets[$0] < Int64(log[$0].count) }
            guard let partition = open.randomElement(using: &random) else { break }
            let event = log[partition][Int(state.readPosition.offsets[partition])]
            if fates[event.place] == .filtered { state.pass(event.place) } else { state.take(event, routes) }
            room -= 1
        }
        state.endRead(at: state.readPosition, now)
    }

    mutating func send() {
        while true {
            var request = state.nextRequest(now)
            if request.isEmpty { break }
            for attempt in request {
                #expect(!file.isFinished(attempt.place), "what was committed is never sent again")
            }
            for attempt in request where fates[attempt.place] == .optsOut {
                guard attempt.number > 1 || Bool.random(using: &random) else { continue }
                state.refuse(attempt.ticket, .optedOut, now)
                request.removeAll { $0.place == attempt.place }
            }
            if request.isEmpty { continue }
            #expect(request.count <= policy.batch?.maximumEvents ?? 1)
            inFlight.append((request, now.monotonicMs + Int64.random(in: 0...200, using: &random)))
        }
        let places = inFlight.flatMap { $0.request.map(\.place) }
        #expect(state.inFlightCount == places.count)
        #expect(state.requestsInFlight == inFlight.count)
        #expect(inFlight.count <= policy.concurrency)
        #expect(state.openCount <= policy.openLimit)
        #expect(state.backlog.count <= policy.windowSize)
        if policy.ordersByKey { #expect(Set(places.map { keys[$0] }).count == places.count) }
        guard policy.batch == nil, !policy.ordersByKey else { return }
        #expect(state.holeCount <= policy.concurrency + policy.maximumReturned)
    }

    mutating func end() {
        for (request, endsMs) in inFlight where endsMs <= now.monotonicMs {
            if policy.batch == nil || Bool.random(using: &random) {
                let outcomes = request.map { answer($0.place) }
                for (attempt, outcome) in zip(request, outcomes) { note(attempt, outcome) }
                state.finish(request.map(\.ticket), .each(outcomes), now)
            } else {
                let outcomes = request.map { answer($0.place) }
                let outcome = outcomes.first { if case .failed = $0 { true } else { false } } ?? delivered
                for attempt in request { note(attempt, outcome) }
                state.finish(request.map(\.ticket), .all(outcome), now)
            }
        }
        inFlight.removeAll { $0.endsMs <= now.monotonicMs }
    }

    mutating func note(_ attempt: Attempt, _ outcome: DeliveryOutcome) {
        guard case .delivered = outcome else { return }
        receipts[attempt.place, default: 0] += 1
        if receipts[attempt.place] == 1 { deliveries[keys[attempt.place] ?? "", default: []].append(attempt.place) }
    }

    mutating func answer(_ place: RecordPlace) -> DeliveryOutcome {
        if let outage, outage.contains(now.monotonicMs) { return refused }
        switch fates[place] {
        case .badForever, .optsOut: return badRequest
        case .serverErrorForever: return serverError
        default: return Int.random(in: 0..<50, using: &random) == 0 ? serverError : delivered
        }
    }

    mutating func commit() {
        let before = file.cursor.position
        file.apply(state.takeChange())
        let cursor = file.cursor
        #expect(zip(before.offsets, cursor.position.offsets).allSatisfy { $0 <= $1 })
        #expect(cursor.holes.allSatisfy { cursor.position.isPast($0) && file.open[$0] == nil })
        #expect(Set(cursor.holes).count == cursor.holes.count)
        let passed = cursor.position.offsets.reduce(0, +)
        #expect(
            cursor.counters.finished + Int64(cursor.holes.count + file.open.count) == passed, "the counters balance")
        #expect(cursor.counters.dead == Int64(file.dead.count))
    }

    mutating func crash() {
        crashes += 1
        for place in fates.keys where !file.isFinished(place) && receipts[place, default: 0] > 0 {
            excuses[place, default: 0] += 1
        }
        for attempt in inFlight.flatMap(\.request) {
            // The receiver may have got it although the outcome never came back.
            guard fates[attempt.place] == .good, Bool.random(using: &random) else { continue }
            note(attempt, delivered)
            excuses[attempt.place, default: 0] += 1
        }
        inFlight = []
        let restored = RestoredTarget(
            cursor: file.cursor,
            open: file.open.values.map { entry, nextAtMs in
                RestoredTarget.OpenRecord(
                    place: entry.place, id: entry.id, type: entry.type, source: entry.source,
                    receivedAtMs: entry.receivedAtMs, routes: entry.routes, tries: entry.tries, counted: entry.counted,
                    firstTriedAtMs: entry.firstTried.wallMs, nextAtMs: nextAtMs, reason: entry.reason,
                    size: entry.size, key: entry.key)
            })
        state = TargetState(restored, policy: policy, now, seed: random.next())
    }

    mutating func step() {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<2: crash()
        case 2..<4 where outage == nil:
            outage = now.monotonicMs..<now.monotonicMs + Int64.random(in: 10...30_000, using: &random)
        case 4..<30: commit()
        case 30..<34: state.forgetUnsent()
        case 34..<36: state.pause()
        case 36..<44: state.resume()
        default: break
        }
        if let ended = outage, ended.upperBound < now.monotonicMs { outage = nil }
        turn()
        now = now.advanced(byMs: Int64.random(in: 0...150, using: &random))
    }

    mutating func turn() {
        end()
        read()
        send()
    }

    mutating func settle() {
        outage = nil
        state.resume()
        var turns = 0
        var nextEventMs = now.monotonicMs
        while state.position != head || state.unfinishedBeforePosition > 0 {
            turn()
            // Good events of other keys go on coming, or there would be nothing to tell a bad one by.
            if now.monotonicMs > nextEventMs {
                append(of: "\(turns)", .good)
                nextEventMs = now.monotonicMs + 60_000
            }
            if turns % 3 == 0 { commit() }
            let next = [state.wakeMs(now), inFlight.map(\.endsMs).min()].compactMap(\.self).min() ?? now.monotonicMs
            now = now.advanced(byMs: min(max(1, next - now.monotonicMs), 2000))
            turns += 1
            // Bad events of one key that has an order are found out one after the other.
            guard turns < 300_000 else { return }
        }
        commit()
    }
}

extension World {
    /// Everything that keeps a run from its end.
    var unfinished: String {
        """
        \(state.health.mode), failing since \(state.health.failingSince?.monotonicMs ?? -1), now \(now.monotonicMs); \
        open \(state.openCount) of \(policy.openSize), returned \(state.returned.count), \
        parked \(state.lanes.parkedCount), in flight \(state.inFlightCount) of \(policy.concurrency)
        """
    }
}

@Suite struct TargetStateSimulation {
    @Test(
        """
        through crashes, outages, pauses and bad events nothing is lost, nothing committed is repeated, counters balance, \
        and order holds where it is asked for
        """, arguments: 0..<36)
    func balances(seed: UInt64) throws {
        var world = World(seed: seed)
        for step in 0..<2500 {
            if step < 2000, Int.random(in: 0..<3, using: &world.random) == 0 { world.append() }
            world.step()
        }
        world.settle()

        try #require(world.state.position == world.head, "\(world.unfinished)")
        try #require(world.file.cursor.holes.isEmpty && world.file.open.isEmpty)
        var expected = TargetCounters()
        for (place, fate) in world.fates {
            let receipts = world.receipts[place, default: 0]
            switch fate {
            case .filtered:
                expected.filtered += 1
                #expect(receipts == 0)
            case .optsOut:
                expected.count(.refused(.optedOut), isSystem: false)
                #expect(receipts == 0 && !world.file.dead.contains(place))
            case .badForever, .serverErrorForever:
                expected.dead += 1
                #expect(world.file.dead.contains(place))
            case .good:
                expected.delivered += 1
                #expect(!world.file.dead.contains(place))
                #expect(receipts >= 1)
                #expect(receipts <= 1 + world.excuses[place, default: 0])
            }
        }
        #expect(world.file.cursor.counters == expected)
        guard world.policy.ordersByKey else { return }
        for (key, places) in world.deliveries {
            #expect(places.map(\.offset) == places.map(\.offset).sorted(), "\(key)")
        }
        #expect(world.crashes > 0)
    }
}
