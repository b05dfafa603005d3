import Delivery
import EventLog
import Events
import SimulatedDisk
import Targets

/// A receiver of events out in the world: what it got, how it answered, and what it may get again.
final class SimulatedReceiver {
    struct History {
        var receipts = 0
        /// When an answer that it has the event was given to the program.
        var confirmedAt: Int64?
        /// When answers that blame this event were given.
        var refusedAt: [Int64] = []
        /// Answers that blame some event of those that came with it.
        var refusedTogether = 0
        var attempts = 0
    }

    let plan: ReceiverPlan
    let world: World
    private(set) var settings: TargetPlan
    /// How the target was configured, and from when on.
    private var versions: [(from: Int64, TargetPlan)]
    private(set) var histories: [EventID: History] = [:]
    private(set) var replayed: [Int64: [EventID: History]] = [:]
    private var underway: Set<EventID> = []
    private var inFlight = 0
    private(set) var awayUntil: Int64 = 0
    private var order = OrderCheck()
    private var rate = RateCheck()
    /// Dead letters that a person gave up for good.
    private(set) var discarded: Set<EventID> = []
    /// Dead letters of which nobody knows whether they are still any, because deciding about them failed.
    private(set) var undecided: Set<EventID> = []
    /// Dead letters of replays that are, or may be, given up.
    private(set) var discardedOfReplays: [Int64: Set<EventID>] = [:]

    static let timeoutMs = 30_000
    /// Refusals of several events at once after which halving must have found the ones to blame.
    private static let refusalsTogether = 40

    init(_ plan: ReceiverPlan, _ world: World) {
        self.plan = plan
        self.world = world
        settings = plan.settings
        versions = [(0, plan.settings)]
    }

    var name: String { plan.name }

    /// An event it never takes.
    func refuses(_ id: EventID) -> Bool { Int(id.low % 100) < plan.refusedPercent }

    /// An event it always fails over. Where all keys wait for such events, nobody could tell them from a target that fails.
    func failsOver(_ id: EventID) -> Bool {
        99 - Int(id.low % 100) < plan.poisonPercent && world.ledger[id]?.record.partitionKey == Self.poisonedKey
    }

    private static let poisonedKey = Array("visitor-0".utf8)

    // MARK: Configuration

    func configure(_ settings: TargetPlan) {
        if settings.rate != self.settings.rate { rate.beginAgain() }
        if settings.ordersByKey, !self.settings.ordersByKey {
            order.beginAgain()
            order.except(underway)
        }
        self.settings = settings
        versions.append((world.now, settings))
    }

    /// By some configuration there was since it happened.
    func mayTake(_ event: Ledger.Event) -> Bool { versions(since: event.happenedAt).contains { $0.takes(event) } }

    /// By every configuration there was since it happened.
    func mustTake(_ event: Ledger.Event) -> Bool { mustTake(event, since: event.happenedAt) }

    func mustTake(_ event: Ledger.Event, since time: Int64) -> Bool {
        // One that grows too old while its target is not configured has no route there.
        versions(since: time).allSatisfy {
            $0.takes(event) && ($0.isThere || world.scenario.retentionMs == nil)
        }
    }

    private func versions(since time: Int64) -> [TargetPlan] {
        versions.indices.compactMap { index in
            index + 1 < versions.count && versions[index + 1].from < time ? nil : versions[index].1
        }
    }

    /// By any configuration there was.
    var largestBatch: Int { versions.reduce(0) { max($0, $1.1.batch?.maximumEvents ?? 0) } }

    /// After how long an event may have been given up, milliseconds; nil: never.
    var shortestPatienceMs: Int64? {
        versions.compactMap { $0.1.giveUpAfter.map { $0.components.seconds * 1000 } }.min()
    }

    /// How soon it gets what is acknowledged when all is well, nanoseconds; nil where its own answers or settings hold
    /// events up.
    var promptness: Int64? {
        guard plan.temper == .steady, settings.rate == nil else { return nil }
        if plan.refusedPercent > 0, settings.ordersByKey || settings.batch != nil { return nil }
        return .seconds(1) + (settings.batch.map { $0.every.components.seconds * 1_000_000_000 } ?? 0)
    }

    // MARK: What happens to it

    /// Out of reach from now on, for some time.
    func leave(for duration: Int64) { awayUntil = max(awayUntil, world.now + duration) }

    func comeBack() { awayUntil = 0 }

    /// The program ended, and with it every attempt.
    func crashed() {
        inFlight = 0
        underway = []
        forget()
    }

    /// The program goes on from an earlier point.
    func forget() {
        order.beginAgain()
        rate.beginAgain()
    }

    func requeued(_ id: EventID, _ replay: Int64?) {
        if let replay {
            replayed[replay]?[id]?.refusedAt = []
        } else {
            order.except([id])
            histories[id]?.refusedAt = []
        }
    }

    func discarded(_ id: EventID, _ replay: Int64?) {
        if let replay { discardedOfReplays[replay, default: []].insert(id) } else { discarded.insert(id) }
    }

    func leftUndecided(_ id: EventID, _ replay: Int64?) {
        if let replay { discardedOfReplays[replay, default: []].insert(id) } else { undecided.insert(id) }
        requeued(id, replay)
    }

    // MARK: One request

    /// - Parameter answer: gives the outcomes to the program, unless that has crashed meanwhile.
    func receive(_ events: [OutgoingEvent], isBatch: Bool, answer: @escaping (BatchOutcome) -> Void) {
        let ids = events.compactMap(\.event.id)
        let replay = events.first?.replay
        inFlight += 1
        checkRequest(ids, isBatch: isBatch)
        for event in events { begin(event) }
        let reply = reply(to: ids)
        world.trace(
            "\(name) gets \(events.map(\.short).joined(separator: " ")): \(reply.short(isBatch: isBatch))")
        for (id, part) in zip(ids, reply.parts) where part.arrives { took(id, replay) }
        guard let delay = reply.delay else { return end(ids, replay, reply, answer) }
        world.afterInInstance(delay) { [self] in end(ids, replay, reply, answer) }
    }

    private func begin(_ event: OutgoingEvent) {
        guard let id = event.event.id else { return world.violate("\(name) gets an event without an id") }
        guard let known = world.ledger[id] else { return world.violate("\(name) gets an event that nobody sent") }
        if !mayTake(known) { world.violate("\(name) gets \(id), which no route sends there") }
        if discarded.contains(id), event.replay == nil { world.violate("\(name) gets \(id), which was discarded") }
        if let replay = event.replay {
            if !world.mayReplay(replay, to: self) { world.violate("\(name) gets \(id) for a replay nobody asked for") }
            if let problem = problem(replayed[replay]?[id]) { world.violate("\(name) gets \(id) \(problem)") }
            replayed[replay, default: [:]][id, default: History()].attempts += 1
            return
        }
        if let problem = problem(histories[id]) { world.violate("\(name) gets \(id) \(problem)") }
        histories[id, default: History()].attempts += 1
        underway.insert(id)
        if settings.ordersByKey, let offset = world.offset(of: id),
            let problem = order.begin(id, key: known.record.partitionKey, offset: offset)
        {
            world.violate("\(name) \(problem)")
        }
    }

    /// What is wrong with sending it once more.
    private func problem(_ history: History?) -> String? {
        guard let history else { return nil }
        if let confirmed = history.confirmedAt, !world.isExcused(confirmed) {
            return "again although it said that it has it, and nothing failed since"
        }
        let refusals = history.refusedAt.count { !world.isExcused($0) }
        if refusals >= plan.attempts { return "again after \(refusals) refusals: it is tried without limit" }
        if history.refusedTogether >= Self.refusalsTogether {
            return "again after \(history.refusedTogether) refusals together with others"
        }
        return nil
    }

    private func checkRequest(_ ids: [EventID], isBatch: Bool) {
        if world.isSwitchedOff(self) { world.violate("\(name) is switched off and gets \(ids[0])") }
        if inFlight > settings.concurrency {
            world.violate("\(name) has \(inFlight) requests under way and allows \(settings.concurrency)")
        }
        if let problem = rate.begin(settings.rate, nowMs: world.moment.monotonicMs) {
            world.violate("\(name) \(problem)")
        }
        guard isBatch, ids.count > 1 else { return }
        guard let batch = settings.batch else { return world.violate("\(name) gets several events at once") }
        let bytes = ids.reduce(0) { $0 + (world.ledger[$1]?.record.payload.count ?? 0) }
        if ids.count > batch.maximumEvents || bytes > batch.maximumBytes {
            world.violate("\(name) gets \(ids.count) events of \(bytes) bytes at once")
        }
    }

    private func took(_ id: EventID, _ replay: Int64?) {
        if let replay {
            replayed[replay]?[id]?.receipts += 1
        } else {
            histories[id]?.receipts += 1
            if histories[id]?.receipts == 1 { world.checkLatency(id, self) }
        }
    }

    private func end(_ ids: [EventID], _ replay: Int64?, _ reply: Reply, _ answer: (BatchOutcome) -> Void) {
        guard world.mayAct() else { return }
        inFlight -= 1
        for (id, part) in zip(ids, reply.parts) {
            if let replay {
                note(part.outcome, isOwn: reply.isOfEach || ids.count == 1, in: &replayed[replay, default: [:]][id])
            } else {
                note(part.outcome, isOwn: reply.isOfEach || ids.count == 1, in: &histories[id])
                underway.remove(id)
                order.end(id, key: world.ledger[id]?.record.partitionKey ?? [])
            }
        }
        answer(reply.outcome)
        world.engineHasWork()
    }

    private func note(_ outcome: DeliveryOutcome, isOwn: Bool, in history: inout History?) {
        switch outcome {
        case .delivered: history?.confirmedAt = world.now
        case .failed(let failure) where failure.blame == .event:
            if isOwn { history?.refusedAt.append(world.now) } else { history?.refusedTogether += 1 }
        case .failed: break
        }
    }
}

extension TargetPlan {
    func takes(_ event: Ledger.Event) -> Bool { !takesOnlySignIns || event.record.type == "visitor.signin" }
}

extension EventID {
    var short: String { String(low & 0xffff_ffff) + ["?", "L", "P", "O"][min(3, Int(low >> 32))] }
}

extension OutgoingEvent {
    /// What, at which attempt, and whether for a replay.
    var short: String { "\(event.id?.short ?? "?")·\(attempt)" + (replay.map { " (replay \($0))" } ?? "") }
}
