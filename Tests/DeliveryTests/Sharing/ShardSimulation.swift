import EventLog
import Events
import Targets
import Testing

@testable import Delivery

/// Three instances that share a target's work, shards that go from one to the other in order, by crashes, and away from
/// instances that do not know it yet.
private struct World {
    static let partitions = 6
    static let shards = 3

    enum Fate { case good, filtered, bad }

    struct Instance {
        var state: TargetState
        var owned: Set<Int> = []
        var releasing: Set<Int> = []
        /// Another instance has these, which this one was not told of yet.
        var stolen: Set<Int> = []
        var commits: [Shelf.Commit] = []
        var inFlight: [(request: [Attempt], endsMs: Int64)] = []
    }

    var random: SplitMix64
    var now = Moment(monotonicMs: 5_000, wallMs: 1_700_000_000_000)
    var log: [[LoggedEvent]] = Array(repeating: [], count: partitions)
    var fates: [RecordPlace: Fate] = [:]
    var keys: [RecordPlace: String] = [:]
    var discarded: Set<RecordPlace> = []
    var shelf = Shelf(partitions: partitions, shards: shards)
    var instances: [Instance] = []
    var policy = TargetPolicy()
    var receipts: [RecordPlace: Int] = [:]
    /// How often an event may be received.
    var allowed: [RecordPlace: Int] = [:]
    /// Of each key, the places of good events in the order their owners delivered them.
    var deliveries: [String: [RecordPlace]] = [:]
    var (moves, crashes, thefts) = (0, 0, 0)

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
        policy.concurrency = Int.random(in: 1...8, using: &random)
        policy.window = Int.random(in: 8...40, using: &random)
        policy.maximumOpen = 1000
        policy.ordersByKey = seed % 2 == 1
        policy.retry.capMs = 20_000
        if seed % 3 == 1 {
            policy.batch = BatchPolicy(maximumEvents: 8, maximumBytes: 100_000, everyMs: 50)
        }
        for _ in 0..<3 { instances.append(Instance(state: emptyState())) }
    }

    private mutating func emptyState() -> TargetState {
        TargetState.shared(partitions: Self.partitions, policy: policy, now, seed: random.next())
    }

    var head: LogPosition { LogPosition(offsets: log.map { Int64($0.count) }) }

    mutating func append(_ fate: Fate? = nil, name: String? = nil) {
        let partition = Int32.random(in: 0..<Int32(Self.partitions), using: &random)
        let place = RecordPlace(partition: partition, offset: Int64(log[Int(partition)].count))
        let key = "\(partition)/\(name ?? "\(Int.random(in: 0...3, using: &random))")"
        keys[place] = key
        log[Int(partition)].append(event(place.offset, partition: partition, receivedAtMs: now.wallMs, key: key))
        let drawn = Int.random(in: 0..<100, using: &random)
        fates[place] = fate ?? (drawn < 25 ? .filtered : drawn < 32 ? .bad : .good)
    }

    // MARK: one instance at work

    mutating func turn(_ index: Int) {
        end(index)
        read(index)
        send(index)
    }

    private mutating func read(_ index: Int) {
        for hole in instances[index].state.holesToLoad {
            if fates[hole] == .filtered {
                instances[index].state.drop(hole, as: \.filtered)
            } else {
                instances[index].state.fill(hole, with: log[Int(hole.partition)][Int(hole.offset)], routes, now)
            }
        }
        var room = instances[index].state.room(now)
        while room > 0 {
            let position = instances[index].state.readPosition
            let open = position.offsets.indices.filter {
                position.offsets[$0] >= 0 && position.offsets[$0] < head.offsets[$0]
            }
            guard let partition = open.randomElement(using: &random) else { break }
            let event = log[partition][Int(position.offsets[partition])]
            room -= 1
            if instances[index].state.passKnown(event.place, isSystem: false) { continue }
            if fates[event.place] == .filtered {
                instances[index].state.pass(event.place)
            } else {
                instances[index].state.take(event, routes)
            }
        }
        instances[index].state.endRead(at: instances[index].state.readPosition, now)
    }

    private mutating func send(_ index: Int) {
        while true {
            let request = instances[index].state.nextRequest(now)
            if request.isEmpty { break }
            for attempt in request {
                let shard = shelf.shard(of: attempt.place.partition)
                #expect(instances[index].owned.contains(shard) && !instances[index].releasing.contains(shard))
                guard !instances[index].stolen.contains(shard) else { continue }
                #expect(!shelf.isFinished(attempt.place), "what is kept as finished is never sent again")
            }
            instances[index].inFlight.append((request, now.monotonicMs + Int64.random(in: 0...200, using: &random)))
        }
        #expect(instances[index].state.requestsInFlight == instances[index].inFlight.count)
        #expect(instances[index].inFlight.count <= policy.concurrency)
    }

    private mutating func end(_ index: Int) {
        let ended = instances[index].inFlight.filter { $0.endsMs <= now.monotonicMs }
        instances[index].inFlight.removeAll { $0.endsMs <= now.monotonicMs }
        for (request, _) in ended {
            let outcomes = request.map { answer($0.place) }
            for (attempt, outcome) in zip(request, outcomes) { note(attempt, outcome, index) }
            instances[index].state.finish(request.map(\.ticket), .each(outcomes), now)
        }
    }

    private mutating func answer(_ place: RecordPlace) -> DeliveryOutcome {
        if fates[place] == .bad { return badRequest }
        return Int.random(in: 0..<20, using: &random) == 0 ? serverError : delivered
    }

    private mutating func note(_ attempt: Attempt, _ outcome: DeliveryOutcome, _ index: Int) {
        guard case .delivered = outcome else { return }
        let place = attempt.place
        receipts[place, default: 0] += 1
        let shard = shelf.shard(of: place.partition)
        let isUnderWay = instances[index].state.place(of: attempt.ticket) != nil
        let isOwner = isUnderWay && !instances[index].stolen.contains(shard)
        if !isOwner { allowed[place, default: 1] += 1 }
        guard isOwner, deliveries[keys[place] ?? ""]?.contains(place) != true else { return }
        deliveries[keys[place] ?? "", default: []].append(place)
    }

    mutating func commit(_ index: Int) {
        guard instances[index].state.isDirty else { return }
        let change = instances[index].state.takeChange()
        let partitions = instances[index].state.changedPartitions(change.cursor)
        instances[index].state.noteKept(partitions)
        checkAccounts(instances[index].state, partitions)
        var payloads: [RecordPlace: [UInt8]] = [:]
        for operation in change.operations {
            payloads[operation.place] = log[Int(operation.place.partition)][Int(operation.place.offset)].payload
        }
        let kept = KeptChange(target: "crm", change: change, partitions: partitions, payloads: payloads)
        let owned = instances[index].owned.subtracting(instances[index].stolen)
        instances[index].commits += shelf.keep(kept, owned: owned)
    }

    private func checkAccounts(_ state: TargetState, _ partitions: [Int32: RestoredShard.Partition]) {
        for (partition, content) in partitions {
            let open = state.open.entries.keys.count { $0.partition == partition && $0.offset < content.position }
            let finished = content.counters.finished
            #expect(finished + Int64(open) + Int64(content.holes.count) == content.position, "partition \(partition)")
        }
        let sum = (0..<Self.partitions).reduce(into: TargetCounters()) { $0 += state.share?.counters[$1] ?? .init() }
        #expect(sum == state.counters)
    }

    mutating func publish(_ index: Int, all: Bool = false) {
        let count =
            all ? instances[index].commits.count : Int.random(in: 0...instances[index].commits.count, using: &random)
        for commit in instances[index].commits.prefix(count) { shelf.commit(commit) }
        instances[index].commits.removeFirst(count)
    }

    // MARK: shards go about

    mutating func assign(_ shard: Int, to index: Int) {
        let restored = shelf.restore(shard)
        for place in fates.keys where shelf.shard(of: place.partition) == shard && receipts[place] != nil {
            guard isUnfinished(place, restored) else { continue }
            allowed[place] = max(allowed[place] ?? 1, receipts[place, default: 0] + 1)
        }
        instances[index].state.assign(restored, now)
        instances[index].owned.insert(shard)
    }

    private func isUnfinished(_ place: RecordPlace, _ shard: RestoredShard) -> Bool {
        guard let partition = shard.partitions[place.partition] else { return false }
        if let known = shard.ahead[place] { return known == .pending }
        return place.offset >= partition.position || partition.holes.contains(place.offset)
            || shard.open.contains { $0.record.place == place }
    }

    private mutating func assignFree() {
        let taken = instances.reduce(into: Set<Int>()) { $0.formUnion($1.owned.subtracting($1.stolen)) }
        for shard in 0..<Self.shards where !taken.contains(shard) {
            let free = instances.indices.filter { !instances[$0].owned.contains(shard) }
            if let index = free.randomElement(using: &random) { assign(shard, to: index) }
        }
    }

    private mutating func beginMove(_ index: Int) {
        let candidates = instances[index].owned.subtracting(instances[index].stolen).subtracting(
            instances[index].releasing)
        guard let shard = candidates.min() else { return }
        instances[index].releasing.insert(shard)
        instances[index].state.beginRelease(of: shelf.partitions(of: shard))
    }

    private mutating func endMoves(_ index: Int) {
        for shard in instances[index].releasing.sorted() {
            let partitions = shelf.partitions(of: shard)
            let left = instances[index].state.inFlightCount(of: partitions)
            guard left == 0 || Int.random(in: 0..<20, using: &random) == 0 else { continue }
            moves += 1
            instances[index].state.abandon(partitions, now)
            #expect(instances[index].state.inFlightCount(of: partitions) == 0)
            commit(index)
            publish(index, all: true)
            instances[index].state.release(partitions)
            instances[index].releasing.remove(shard)
            instances[index].owned.remove(shard)
            #expect(instances[index].state.ownedPartitions.isDisjoint(with: partitions))
        }
    }

    private mutating func crash(_ index: Int) {
        crashes += 1
        publish(index)
        for attempt in instances[index].inFlight.flatMap(\.request) where fates[attempt.place] == .good {
            guard Bool.random(using: &random) else { continue }
            receipts[attempt.place, default: 0] += 1
            allowed[attempt.place, default: 1] += 1
        }
        instances[index] = Instance(state: emptyState())
    }

    /// The shard is another's, and this instance goes on as if it were not, for a while.
    private mutating func steal(_ index: Int) {
        let candidates = instances[index].owned.subtracting(instances[index].stolen)
        guard let shard = candidates.min() else { return }
        thefts += 1
        publish(index)
        instances[index].commits.removeAll { shelf.shard(of: $0.partition) == shard }
        instances[index].stolen.insert(shard)
        instances[index].releasing.remove(shard)
    }

    private mutating func tellOfThefts(_ index: Int) {
        for shard in instances[index].stolen {
            let partitions = shelf.partitions(of: shard)
            instances[index].state.abandon(partitions, now)
            instances[index].state.dropOperations(of: partitions)
            instances[index].state.release(partitions)
            instances[index].owned.remove(shard)
        }
        instances[index].stolen = []
    }

    /// A person decides about a dead letter.
    private mutating func decide(_ index: Int) {
        commit(index)
        let mine = shelf.dead.values.filter {
            let shard = shelf.shard(of: $0.place.partition)
            return instances[index].owned.contains(shard) && !instances[index].stolen.contains(shard)
        }
        guard let letter = mine.min(by: { TargetState.isBefore($0.place, $1.place) }) else { return }
        let row = DeadLetterRow(
            id: 1, event: letter.id, place: letter.place, target: "crm", replay: nil, type: letter.type,
            source: letter.source, receivedAtMs: letter.receivedAtMs, routes: ["all"], atMs: letter.atMs,
            reason: letter.reason, attempts: letter.attempts, status: nil, message: "", response: [], payload: [1])
        if Bool.random(using: &random) {
            instances[index].state.requeue(row, routes, now)
        } else {
            instances[index].state.discard(row, routes, now)
            discarded.insert(letter.place)
        }
        commit(index)
    }

    // MARK: a run

    mutating func step() {
        let index = Int.random(in: instances.indices, using: &random)
        switch Int.random(in: 0..<400, using: &random) {
        case 0: crash(index)
        case 1..<5: steal(index)
        case 5..<20: tellOfThefts(index)
        case 20..<40: beginMove(index)
        case 40..<44: decide(index)
        case 44..<200: commit(index)
        case 200..<240: publish(index)
        default: break
        }
        assignFree()
        turn(index)
        endMoves(index)
        now = now.advanced(byMs: Int64.random(in: 0...60, using: &random))
    }

    /// Everybody ends what there is.
    /// - Returns: false when it does not come to an end.
    mutating func settle() -> Bool {
        for round in 0..<100_000 {
            for index in instances.indices {
                tellOfThefts(index)
                endMoves(index)
                turn(index)
                commit(index)
                publish(index, all: true)
            }
            assignFree()
            if isDone { return true }
            if round % 50 == 0 { append(.good, name: "settling \(round)") }
            now = now.advanced(byMs: 100)
        }
        return false
    }

    private var isDone: Bool {
        (0..<Int32(Self.partitions)).allSatisfy { shelf.position($0) == head.offsets[Int($0)] }
            && instances.allSatisfy {
                $0.state.unfinishedBeforePosition == 0 && !$0.state.isDirty && $0.releasing.isEmpty
            }
    }
}

@Suite("Shards that come and go") struct ShardSimulation {
    @Test(
        """
        however shards go from one instance to the other, nothing is lost, only what was given up or not kept is sent \
        again, every partition's accounts are exact, and order holds where it is asked for
        """, arguments: 0..<24)
    func balances(seed: UInt64) throws {
        var world = World(seed: seed)
        for step in 0..<4000 {
            if step < 3500, Int.random(in: 0..<3, using: &world.random) == 0 { world.append() }
            world.step()
        }
        let hasEnded = world.settle()
        try #require(hasEnded)
        var expected = Array(repeating: TargetCounters(), count: World.partitions)
        for (place, fate) in world.fates {
            let receipts = world.receipts[place, default: 0]
            switch fate {
            case .filtered: expected[Int(place.partition)].filtered += 1
            case .bad:
                let ending = world.discarded.contains(place) ? \TargetCounters.discarded : \.dead
                expected[Int(place.partition)][keyPath: ending] += 1
                #expect((world.shelf.dead[place] != nil) != world.discarded.contains(place))
            case .good:
                expected[Int(place.partition)].delivered += 1
                #expect(receipts >= 1 && receipts <= world.allowed[place, default: 1], "\(place)")
            }
        }
        for partition in expected.indices {
            #expect(world.shelf.counters(Int32(partition)) == expected[partition], "partition \(partition)")
        }
        #expect(world.moves > 0 && world.thefts > 0 && world.crashes > 0)
        guard world.policy.ordersByKey else { return }
        for (key, places) in world.deliveries {
            #expect(places.map(\.offset) == places.map(\.offset).sorted(), "\(key)")
        }
    }
}
