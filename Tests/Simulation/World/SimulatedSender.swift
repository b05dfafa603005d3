import EventLog
import Events
import SimulatedDisk

/// Sends its events, in batches that change from try to try, until every one is acknowledged; now and then also what was
/// acknowledged long ago.
final class SimulatedSender {
    private let plan: Scenario.Sender
    private let world: World
    private var waiting: [EventID] = []
    private var serial: UInt64 = 0
    private let number: UInt64
    private var acknowledged: [EventID] = []
    private var isAsking = false

    private static let patience = Int64.seconds(10)

    init(_ plan: Scenario.Sender, number: Int, _ world: World) {
        self.plan = plan
        self.number = UInt64(number)
        self.world = world
    }

    /// Every event there will be is acknowledged.
    var isDone: Bool { serial >= plan.events && waiting.isEmpty }

    func begin() {
        for index in 0..<plan.events {
            let at =
                plan.duration * Int64(index) / Int64(plan.events) + Int64.milliseconds(world.random.integer(0...400))
            world.scheduler.after(at) { [self] in
                happen()
                send()
            }
        }
    }

    /// One event more than were planned, of a key that waits for nothing.
    func sendAnother() {
        happen("visitor.signin", key: world.random.integer(1...5))
        send()
    }

    /// Something happens at the sender's that it is to tell.
    private func happen(_ type: String? = nil, key: Int? = nil) {
        serial += 1
        let record = newRecord(
            type ?? (world.random.oneIn(2) ? "visitor.signin" : "visitor.signout"),
            key: "visitor-\(key ?? world.random.integer(0...5))")
        world.ledger.add(record, at: world.now)
        waiting.append(record.id)
    }

    private func newRecord(_ type: String, key: String) -> NewRecord {
        let id = EventID(high: number, low: number << 32 | serial)
        let isLogSmall = world.scenario.maximumLogBytes < 1 << 20
        let padding =
            world.random.oneIn(isLogSmall ? 4 : 25) ? world.random.integer(0...12_000) : world.random.integer(0...200)
        let text =
            #"{"specversion":"1.0","id":"\#(id.hex)","source":"\#(plan.name)","type":"\#(type)","partitionkey":"\#(key)","#
            + #""data":{"source":"\#(plan.name)","visitor":{"name":"\#(String(repeating: "a", count: padding))"}}}"#
        return NewRecord(
            id: id, type: type, partitionKey: Array(key.utf8), timeMs: world.wallMs, receivedAtMs: world.wallMs,
            source: plan.name, visitorID: Array(key.utf8), payload: Array(text.utf8))
    }

    // MARK: Asking

    /// One request at a time, as a sender's queue does; a repeat may overlap it.
    private func send() {
        guard !isAsking, !waiting.isEmpty else { return }
        isAsking = true
        if world.random.oneIn(4) { waiting.shuffle(using: &world.random) }
        let ids = Array(waiting.prefix(world.random.integer(1...plan.largestBatch)))
        ask(ids) { [self] isTaken, retryAfter in
            isAsking = false
            if isTaken {
                let taken = Set(ids)
                waiting.removeAll { taken.contains($0) }
                acknowledged += ids
            }
            let pause = isTaken ? Int64.milliseconds(world.random.integer(0...20)) : retryAfter
            world.scheduler.after(pause) { [self] in send() }
        }
        if world.random.oneIn(6) { repeatSome(ids) }
    }

    /// A sender that repeats itself: what is on its way, or what was taken long ago.
    private func repeatSome(_ underway: [EventID]) {
        var ids = world.random.oneIn(2) ? underway : Array(acknowledged.shuffled(using: &world.random).prefix(5))
        guard !ids.isEmpty else { return }
        ids.shuffle(using: &world.random)
        world.scheduler.after(.milliseconds(world.random.integer(0...5))) { [self] in ask(ids) { _, _ in } }
    }

    /// - Parameter answer: called once, also when nobody answers in time.
    private func ask(_ ids: [EventID], _ answer: @escaping (_ isTaken: Bool, _ retryAfter: Int64) -> Void) {
        let records = ids.compactMap { id in
            var record = world.ledger[id]?.record
            record?.receivedAtMs = world.wallMs
            return record
        }
        var isAnswered = false
        func finish(_ isTaken: Bool, _ retryAfter: Int64) {
            guard !isAnswered else { return }
            isAnswered = true
            answer(isTaken, retryAfter)
        }
        world.scheduler.after(Self.patience) { finish(false, .milliseconds(100)) }
        world.submit(AppendBatch(records: records)) { [world] result in
            switch result {
            case .success(let outcomes):
                world.acknowledge(ids, outcomes)
                finish(true, 0)
            case .failure(let failure):
                world.trace("refused: \(failure.message)")
                if failure.code == .full { world.figures.refusedFull += 1 }
                finish(false, .seconds(failure.retryAfterSeconds))
            }
        }
    }
}
