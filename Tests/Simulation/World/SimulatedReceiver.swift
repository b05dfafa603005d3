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
        /// When answers that blame the event were given.
        var refusedAt: [Int64] = []
        var attempts = 0
    }

    let plan: Scenario.Receiver
    private let world: World
    private(set) var histories: [EventID: History] = [:]
    private(set) var inFlight = 0
    private var awayUntil: Int64 = 0
    /// An answer of 410 was given.
    private(set) var isGone = false

    static let timeoutMs = 30_000
    /// Refusals after which an event is not tried again.
    static let attempts = 5

    init(_ plan: Scenario.Receiver, _ world: World) {
        self.plan = plan
        self.world = world
    }

    func takes(_ event: Ledger.Event) -> Bool { !plan.takesOnlySignIns || event.record.type == "visitor.signin" }

    /// An event it never takes.
    func refuses(_ id: EventID) -> Bool { Int(id.low % 100) < plan.refusedPercent }

    /// Out of reach from now on, for some time.
    func leave(for duration: Int64) { awayUntil = max(awayUntil, world.now + duration) }

    func comeBack() {
        awayUntil = 0
        isGone = false
    }

    // MARK: One attempt

    /// - Parameter answer: gives the outcome to the program, unless that has crashed meanwhile.
    func receive(_ id: EventID, attempt: Int, answer: @escaping (DeliveryOutcome) -> Void) {
        check(id)
        histories[id, default: History()].attempts += 1
        inFlight += 1
        if inFlight > plan.concurrency {
            world.violate("\(plan.name) has \(inFlight) attempts under way and allows \(plan.concurrency)")
        }
        let (arrives, outcome, delay) = decide(id)
        world.trace(
            "\(plan.name) gets \(id.short) (attempt \(attempt)): \(arrives ? "taken" : "not taken"), \(outcome.short)")
        if arrives { took(id) }
        guard let delay else { return end(id, arrives, outcome, answer) }
        world.afterInInstance(delay) { [self] in end(id, arrives, outcome, answer) }
    }

    private func end(
        _ id: EventID, _ arrived: Bool, _ outcome: DeliveryOutcome, _ answer: (DeliveryOutcome) -> Void
    ) {
        guard world.mayAct() else { return }
        inFlight -= 1
        switch outcome {
        case .delivered: histories[id]?.confirmedAt = world.now
        case .failed(let failure):
            if failure.blame == .event { histories[id]?.refusedAt.append(world.now) }
            if failure.blame == .gone { isGone = true }
        }
        answer(outcome)
        world.engineHasWork()
    }

    private func took(_ id: EventID) {
        histories[id, default: History()].receipts += 1
        if plan.temper == .steady, histories[id]?.receipts == 1 { world.checkLatency(id, plan.name) }
    }

    /// What must be known before an attempt is made.
    private func check(_ id: EventID) {
        guard let event = world.ledger[id] else { return world.violate("\(plan.name) gets an event that nobody sent") }
        if !takes(event) { world.violate("\(plan.name) gets \(id), which no route sends there") }
        guard let history = histories[id] else { return }
        if let confirmed = history.confirmedAt, !world.isExcused(confirmed) {
            world.violate("\(plan.name) gets \(id) again although it said that it has it, and nothing failed since")
        }
        if history.refusedAt.count(where: { !world.isExcused($0) }) >= Self.attempts {
            world.violate(
                "\(plan.name) gets \(id) again after \(history.refusedAt.count) refusals: it is tried without limit")
        }
    }

    // MARK: Temper

    /// Whether the event arrives, what the program is told, and after how long; nil: before `send` returns.
    private func decide(_ id: EventID) -> (Bool, DeliveryOutcome, Int64?) {
        let quick: Int64? = world.random.oneIn(3) ? nil : .milliseconds(world.random.integer(0...5))
        if world.isHealed || plan.temper == .steady {
            return refuses(id) ? (false, .refused(400), quick) : (true, .taken, quick)
        }
        if awayUntil > world.now {
            return (false, .unreachable("connect_refused"), .milliseconds(world.random.integer(0...20)))
        }
        if refuses(id) { return (false, .refused([400, 413, 422].randomElement(using: &world.random)!), quick) }
        switch world.random.integer(0...29) {
        case 0: return (false, .unreachable("connection_reset"), .milliseconds(world.random.integer(0...50)))
        case 1: return (true, .unreachable("connection_reset"), .milliseconds(world.random.integer(0...50)))
        case 2: return (world.random.oneIn(2), .unreachable("timeout"), .milliseconds(Self.timeoutMs))
        case 3: return (false, .answered(503, retryAfterSeconds: world.random.integer(0...120)), quick)
        case 4: return (false, .answered(429, retryAfterSeconds: world.random.oneIn(2) ? 5 : nil), quick)
        case 5: return (false, .answered(500), quick)
        case 6 where world.random.oneIn(20): return (false, .gone, quick)
        case 7...9: return (true, .taken, .milliseconds(world.random.integer(20...4000)))
        default: return (true, .taken, quick)
        }
    }

    /// The program ended, and with it every attempt.
    func crashed() { inFlight = 0 }
}

extension DeliveryOutcome {
    static let taken = DeliveryOutcome.delivered(DeliveryReceipt(status: 200, duration: .milliseconds(3), bytes: 100))
    static let gone = failure("http_410", .gone, 410)

    static func refused(_ status: Int) -> DeliveryOutcome { failure("http_\(status)", .event, status) }

    static func unreachable(_ code: String) -> DeliveryOutcome { failure(code, .target, nil) }

    static func answered(_ status: Int, retryAfterSeconds: Int? = nil) -> DeliveryOutcome {
        failure("http_\(status)", .target, status, retryAfterSeconds.map { .seconds($0) })
    }

    private static func failure(
        _ code: String, _ blame: Blame, _ status: Int?, _ retryAfter: Duration? = nil
    ) -> DeliveryOutcome {
        .failed(
            DeliveryFailure(code: code, message: "It failed.", blame: blame, status: status, retryAfter: retryAfter))
    }

    var short: String {
        switch self {
        case .delivered: "delivered"
        case .failed(let failure): failure.code
        }
    }
}

extension EventID {
    var short: String { String(low) }
}
