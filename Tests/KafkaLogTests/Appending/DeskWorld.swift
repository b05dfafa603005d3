import EventLog
import Events
import Kafka

@testable import KafkaLog

/// Random numbers that are the same for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    mutating func isOneOf(_ count: Int) -> Bool { Int.random(in: 0..<count, using: &self) == 0 }
}

/// A desk with a Kafka, a producer and a spool around it that are only lists, and do what a test tells them.
struct DeskWorld {
    typealias Row = (sequence: Int64, lane: Int, item: LogItem)

    static let layout = LogLayout(prefix: "test", partitions: 2)
    var desk: AppendDesk
    var now: Int64 = 1_000_000_000_000

    /// By lane: the ids in Kafka, repeats included.
    var kafka: [Int: [EventID]] = [:]
    /// In the producer, in order.
    var producer: [(token: UInt64, lane: Int, id: EventID, isKept: Bool)] = []
    /// Partitions without a leader.
    var lanesAway: Set<Int> = []
    var isAway = false
    /// What Kafka never takes.
    var refusals: [EventID: KafkaFailure] = [:]
    var rows: [Row] = []
    var buried: [Int64: String] = [:]
    var operations: [SpoolOperation] = []
    private var nextSequence: Int64 = 1
    private var nextBatch: UInt64 = 1
    var answers: [UInt64: Result<[AppendOutcome], LogFailure>] = [:]
    var deadLetters: [EventID] = []
    /// Handed to the producer while it was there already.
    var publishedTwice: [EventID] = []
    var changes: [Bool] = []
    var areTopicsThere = true

    init(_ change: (inout AppendDesk.Settings) -> Void = { _ in }) {
        var settings = AppendDesk.Settings(lanes: Lanes(layout: Self.layout))
        change(&settings)
        desk = AppendDesk(settings, now: now)
    }

    /// The program is killed and started again: what the producer held is gone, or was kept as far as it had got.
    mutating func crash() {
        producer = []
        operations = []
        var lanes: [Int: (rows: Int, first: Int64)] = [:]
        for row in rows { lanes[row.lane] = ((lanes[row.lane]?.rows ?? 0) + 1, lanes[row.lane]?.first ?? row.sequence) }
        desk = AppendDesk(desk.settings, spooled: lanes, ids: rows.map(\.item.id), now: now)
    }

    // MARK: Appending

    static func arrival(_ number: Int, lane: Int = 0, source: String = "london") -> AppendDesk.Arrival {
        let type = layout.type(of: Int32(lane)).rawValue
        let record = NewRecord(
            id: EventID(high: 7, low: UInt64(number)), type: type, partitionKey: [], timeMs: 0, receivedAtMs: 0,
            source: source, payload: [1])
        return AppendDesk.Arrival(item: .event(record), lane: lane, record: KafkaRecord(topic: type, value: [1]))
    }

    @discardableResult
    mutating func append(_ arrivals: [AppendDesk.Arrival]) -> UInt64 {
        let number = nextBatch
        nextBatch += 1
        desk.append(number, events: arrivals, now: now)
        run()
        return number
    }

    @discardableResult
    mutating func append(_ numbers: Int..., lane: Int = 0) -> UInt64 {
        append(numbers.map { Self.arrival($0, lane: lane) })
    }

    mutating func advance(milliseconds: Int64) {
        now += milliseconds * 1_000_000
        desk.tick(now: now)
        run()
    }

    // MARK: What the thread around the desk does

    mutating func run() {
        var isChanged = true
        while isChanged {
            desk.drain(now: now)
            publish()
            isChanged = decide()
        }
    }

    private mutating func publish() {
        while let next = desk.nextToPublish(now: now) {
            guard let entry = desk.entries[next.token] else { fatalError("no such entry") }
            let id = entry.arrival.item.id
            if producer.contains(where: { $0.id == id }) { publishedTwice.append(id) }
            producer.append((next.token, entry.arrival.lane, id, false))
        }
    }

    /// - Returns: whether a topic is there that was not.
    private mutating func decide() -> Bool {
        var isChanged = false
        for decision in desk.takeDecisions() {
            switch decision {
            case .answer(let batch, let result):
                precondition(answers[batch] == nil, "a batch is answered once")
                answers[batch] = result
            case .spool(let operation): operations.append(operation)
            case .ensure(let type):
                if areTopicsThere { desk.topicIsReady(type) } else { desk.topicFailed(type, now: now) }
                isChanged = isChanged || areTopicsThere
            case .acknowledged: break
            case .deadLetter(let item, _): deadLetters.append(item.id)
            case .kafkaIsAway: changes.append(true)
            case .kafkaIsBack: changes.append(false)
            }
        }
        return isChanged
    }

    // MARK: Kafka

    /// The oldest record of a lane reaches Kafka. Its report may come later.
    mutating func keep(_ index: Int) {
        guard !producer[index].isKept else { return }
        let (_, lane, id, _) = producer[index]
        producer[index].isKept = true
        if refusals[id] == nil { kafka[lane, default: []].append(id) }
    }

    /// Kafka answers for everything the producer holds, as far as it is there.
    mutating func answer(atMost limit: Int = .max) {
        var left = limit
        while left > 0, !isAway, let index = producer.firstIndex(where: { !lanesAway.contains($0.lane) }) {
            keep(index)
            report(index)
            left -= 1
        }
    }

    mutating func report(_ index: Int) {
        let (token, lane, id, _) = producer.remove(at: index)
        let result: Result<KafkaPlace, KafkaFailure> =
            if let failure = refusals[id] { .failure(failure) } else {
                .success(KafkaPlace(partition: 0, offset: Int64((kafka[lane] ?? []).lastIndex(of: id) ?? 0)))
            }
        desk.report(token, result, now: now)
        run()
    }

    /// The producer ends: all it holds fails, kept or not.
    mutating func failProducer(_ code: String = "purge_inflight") {
        let failed = producer
        producer = []
        for (token, _, _, _) in failed {
            desk.report(token, .failure(KafkaFailure(code: code, message: code, mayBeKept: true)), now: now)
        }
        run()
    }

    // MARK: The spool

    /// Does what waits, in one commit.
    /// - Parameter isKept: whether a commit that fails is on the disk all the same.
    mutating func spool(failing failure: LogFailure? = nil, isKept: Bool = false) {
        while !operations.isEmpty {
            let waiting = operations
            operations = []
            var told: [(inout AppendDesk, Int64) -> Void] = []
            for operation in waiting { perform(operation, failure, isKept, &told) }
            for tell in told { tell(&desk, now) }
            if failure != nil { desk.reopened(Set(rows.map(\.lane)), now: now) }
            run()
            if failure != nil { break }
        }
    }

    private mutating func perform(
        _ operation: SpoolOperation, _ failure: LogFailure?, _ isKept: Bool,
        _ told: inout [(inout AppendDesk, Int64) -> Void]
    ) {
        switch operation {
        case .write(let entry):
            if failure == nil || isKept {
                rows.append((nextSequence, entry.lane, entry.item))
                nextSequence += 1
            }
            let sequence = nextSequence - 1
            if let failure {
                told.append { $0.notWritten(entry.token, failure, now: $1) }
            } else {
                told.append { $0.written(entry.token, sequence, now: $1) }
            }
        case .delete(let sequence):
            if failure == nil { rows.removeAll { $0.sequence == sequence } } else { operations.append(operation) }
        case .bury(let sequence, let reason):
            guard failure == nil else { return operations.append(operation) }
            rows.removeAll { $0.sequence == sequence }
            buried[sequence] = reason
        case .load(let lane, let from, let limit, _):
            guard failure == nil else { return told.append { $0.notLoaded(lane, now: $1) } }
            let found = rows.filter { $0.lane == lane && $0.sequence >= from }.prefix(limit).map { row in
                AppendDesk.Row(
                    sequence: row.sequence, item: row.item, record: .success(KafkaRecord(topic: "", value: [1])))
            }
            let isEnd = found.count < limit
            told.append { $0.loaded(lane, found, isEnd: isEnd, now: $1) }
        }
    }

    /// Kafka is there, and everything goes on until nothing is left to do.
    mutating func settle() {
        isAway = false
        lanesAway = []
        areTopicsThere = true
        for _ in 0..<10_000 where !desk.isDone || !operations.isEmpty {
            answer()
            spool()
            advance(milliseconds: 100)
        }
    }
}

extension DeskWorld: CustomStringConvertible {
    var description: String { "a desk with \(producer.count) records in the producer and \(rows.count) in the spool" }
}
