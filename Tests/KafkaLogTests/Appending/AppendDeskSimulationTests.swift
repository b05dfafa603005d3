import EventLog
import Events
import Kafka
import Testing

@testable import KafkaLog

/// A random life of a desk: traffic, outages, failures of every kind, kills. What it promises is checked all the time.
private struct DeskLife {
    private var random: SeededGenerator
    var world: DeskWorld
    private let hasSpool: Bool
    private var numbers: [UInt64: [(number: Int, lane: Int)]] = [:]
    private var appendedAt: [UInt64: Int64] = [:]
    private var seen: Set<UInt64> = []
    private var nextNumber = 1
    private var recent: [(number: Int, lane: Int)] = []
    /// By lane: events in the order they came for the first time.
    private var arrived: [Int: [EventID]] = [:]
    private var acknowledged: Set<EventID> = []
    /// Events whose order nobody was promised: refused at least once.
    private var refused: Set<EventID> = []
    private var isSpoolFailing = false
    private(set) var flaws: [String] = []
    private(set) var kills = 0

    private static let lanes = [0, 1, 4, 9]

    init(seed: UInt64, hasSpool: Bool) {
        random = SeededGenerator(seed: seed)
        self.hasSpool = hasSpool
        world = DeskWorld {
            $0.spools = hasSpool
            $0.windowRecords = 40
            $0.laneWindow = 16
            $0.readAhead = 8
            $0.readAheadInAll = 24
        }
    }

    mutating func live(steps: Int) {
        for step in 0..<steps where flaws.isEmpty {
            act()
            check(step)
        }
        isSpoolFailing = false
        world.settle()
        check(steps)
        checkEnd()
    }

    private mutating func act() {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<35: append()
        case 35..<55: world.answer(atMost: Int.random(in: 1...20, using: &random))
        case 55..<70: world.advance(milliseconds: Int64.random(in: 1...700, using: &random))
        case 70..<85: spool()
        case 85..<88: keepSome()
        case 88..<90: world.isAway.toggle()
        case 90..<93:
            let lane = Self.lanes.randomElement(using: &random)!
            if world.lanesAway.remove(lane) == nil { world.lanesAway.insert(lane) }
        case 93: failProducer()
        case 94: congest()
        case 95: isSpoolFailing.toggle()
        case 96: if random.isOneOf(4) { kill() }
        case 97: world.areTopicsThere.toggle()
        default:
            world.isAway = false
            world.answer()
            spool()
        }
    }

    private mutating func append() {
        var arrivals: [AppendDesk.Arrival] = []
        var named: [(number: Int, lane: Int)] = []
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            var one = (number: nextNumber, lane: Self.lanes.randomElement(using: &random)!)
            if random.isOneOf(6), let former = recent.randomElement(using: &random) { one = former }
            if one.number == nextNumber {
                nextNumber += 1
                recent.append(one)
                if recent.count > 50 { recent.removeFirst() }
                let id = DeskWorld.arrival(one.number).item.id
                arrived[one.lane, default: []].append(id)
                if random.isOneOf(60) {
                    world.refusals[id] = KafkaFailure(code: "invalid_record", message: "", concern: .record)
                }
            }
            named.append(one)
            arrivals.append(DeskWorld.arrival(one.number, lane: one.lane))
        }
        let batch = world.append(arrivals)
        numbers[batch] = named
        appendedAt[batch] = world.now
    }

    private mutating func spool() {
        if isSpoolFailing {
            world.spool(failing: LogFailure(.unavailable, "disk"), isKept: random.isOneOf(3))
        } else {
            world.spool()
        }
    }

    /// Some records are in Kafka, and their reports on their way: of each partition, the oldest.
    private mutating func keepSome() {
        guard !world.isAway else { return }
        for index in world.producer.indices where !world.lanesAway.contains(world.producer[index].lane) {
            if random.isOneOf(3) { break }
            world.keep(index)
        }
    }

    private mutating func failProducer() {
        keepSome()
        world.failProducer()
    }

    private mutating func congest() {
        guard let last = world.producer.last, !last.isKept else { return }
        // Only the newest record of all can be one that the producer has not taken.
        world.producer.removeLast()
        world.desk.report(
            last.token, .failure(KafkaFailure(code: KafkaFailure.queueFull, message: "")), now: world.now)
        world.run()
    }

    private mutating func kill() {
        kills += 1
        keepSome()
        for (batch, named) in numbers where world.answers[batch] == nil {
            for (number, _) in named { refused.insert(DeskWorld.arrival(number).item.id) }
            numbers[batch] = nil
        }
        world.crash()
        // The next instance does not know what this one published.
        recent = recent.filter { one in
            world.rows.contains { $0.item.id == DeskWorld.arrival(one.number).item.id }
        }
    }

    // MARK: What holds at any time

    private mutating func check(_ step: Int) {
        for (batch, result) in world.answers where seen.insert(batch).inserted {
            for (number, lane) in numbers[batch] ?? [] {
                let id = DeskWorld.arrival(number).item.id
                switch result {
                case .success:
                    acknowledged.insert(id)
                    if !isSomewhere(id, lane) { flaws.append("step \(step): \(number) was answered and is nowhere") }
                case .failure: refused.insert(id)
                }
            }
            numbers[batch] = nil
        }
        // What was refused may be in the spool all the same, beside its repeat.
        if world.publishedTwice.contains(where: { !refused.contains($0) }) {
            flaws.append("step \(step): published while it was in the producer")
        }
        let desk = world.desk
        if desk.inFlightRecords != world.producer.count { flaws.append("step \(step): the producer's count is wrong") }
        // Of each lane one record that the producer did not take may stand before what is read.
        if desk.inFlightRecords > 40 || !(0...24 + Self.lanes.count).contains(desk.readAhead) {
            flaws.append("step \(step): \(desk.inFlightRecords) in the producer, \(desk.readAhead) read ahead")
        }
        if desk.unhandedInAll != desk.lanes.reduce(0, { $0 + $1.unhanded })
            || desk.lanes.contains(where: { $0.held < 0 })
        {
            flaws.append("step \(step): the lanes' counts are wrong")
        }
        for (batch, _) in numbers where world.operations.isEmpty && world.answers[batch] == nil {
            if world.now - (appendedAt[batch] ?? 0) > 3_000_000_000 {
                flaws.append("step \(step): the batch \(batch) waits longer than anything may")
            }
        }
    }

    private func isSomewhere(_ id: EventID, _ lane: Int) -> Bool {
        world.kafka[lane]?.contains(id) == true || world.rows.contains { $0.item.id == id }
            || world.deadLetters.contains(id)
    }

    private mutating func checkEnd() {
        if !world.desk.isDone { flaws.append("something is left: \(world.desk.entries.count) entries") }
        if !numbers.isEmpty { flaws.append("\(numbers.count) batches are not answered") }
        for (lane, ids) in arrived {
            let kafka = world.kafka[lane] ?? []
            var first: [EventID: Int] = [:]
            for (place, id) in kafka.enumerated() where first[id] == nil { first[id] = place }
            for id in ids where acknowledged.contains(id) && first[id] == nil && !world.deadLetters.contains(id) {
                let isRow = world.rows.contains { $0.item.id == id }
                if !isRow { flaws.append("\(id) was acknowledged and lost") }
            }
            let places = ids.filter { acknowledged.contains($0) && !refused.contains($0) }.compactMap { first[$0] }
            if places != places.sorted() { flaws.append("lane \(lane) is out of order") }
        }
    }

    /// For the test of the test: something happened.
    var acknowledgedCount: Int { acknowledged.count }
}

@Suite struct AppendDeskSimulationTests {
    @Test("In a random life nothing acknowledged is lost, answered too early or out of order", arguments: 1...16)
    func life(seed: Int) {
        var life = DeskLife(seed: UInt64(seed), hasSpool: true)
        life.live(steps: 1500)
        #expect(life.flaws.isEmpty, "seed \(seed): \(life.flaws.prefix(5))")
        #expect(life.acknowledgedCount > 200)
    }

    @Test("Without a spool the same holds of what was acknowledged", arguments: 1...6)
    func lifeWithoutSpool(seed: Int) {
        var life = DeskLife(seed: UInt64(1000 + seed), hasSpool: false)
        life.live(steps: 1500)
        #expect(life.flaws.isEmpty, "seed \(seed): \(life.flaws.prefix(5))")
        #expect(life.acknowledgedCount > 50)
    }
}
