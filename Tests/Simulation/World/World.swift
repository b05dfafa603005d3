import Delivery
import EventLog
import Events
import Logging
import SimulatedDisk

/// Everything there is in one simulation: the program, its disk, its senders and receivers, and what goes wrong.
///
/// Unchecked: confined to the one thread that runs it.
final class World: @unchecked Sendable {
    let scenario: Scenario
    let bug: PlantedBug?
    let scheduler = Scheduler()
    let disk: SimulatedDisk
    let databases: SimulatedDatabases
    let ledger = Ledger()
    var random: Randomness
    var configuration: SimulatedConfiguration
    private(set) var receivers: [SimulatedReceiver] = []
    private(set) var senders: [SimulatedSender] = []

    var instance: Instance?
    var instances = 0
    var isHealed = false
    var violation: Violation?
    var figures = Figures()
    /// How far the wall clock was set from where it should be, milliseconds.
    var wallSkewMs: Int64 = 0
    /// Since when what is to be written may not have found room.
    var fullSince: Int64?

    var logWake: Int64?
    var engineWake: Int64?
    var lastTurn: Int64 = 0
    /// Turns of deliveries since then while no time went by.
    var turnsAtOnce = 0
    /// When the program was killed that has not been opened again since.
    var downSince: Int64?
    /// At which operation of the disk, or action of the world, the next crash comes.
    var crashAtChange: Int?
    var crashAtAction: Int?
    /// Where the one crash of a sweep comes, and how.
    var swept: CrashPoint?
    var actions = 0
    var troubles: [DiskTrouble] = []
    /// When answers were given that the program may have forgotten since.
    private var excuses: [ClosedRange<Int64>] = []
    /// The last time something went wrong that every target may feel.
    var disturbedAt: Int64 = 0
    var paused: Set<String> = []
    var replays: [SimulatedReplay] = []
    /// Asking for one failed, and nobody knows whether it was written down.
    var mayHaveOtherReplays = false
    /// Events that follow once everything is well.
    var followers = 0
    /// Whatever was sent to the present run of the program.
    var seen: Set<EventID> = []

    private let tracer: ((String) -> Void)?

    convenience init(seed: UInt64, bug: PlantedBug?, tracer: ((String) -> Void)?) throws {
        var random = Randomness(seed: seed)
        let scenario = Scenario(&random)
        try self.init(scenario, random, bug: bug, tracer: tracer)
    }

    convenience init(swept point: CrashPoint?, tracer: ((String) -> Void)?) throws {
        try self.init(.swept, Randomness(seed: 0), bug: nil, tracer: tracer)
        swept = point
        switch point?.place {
        case .change(let number, _): crashAtChange = number
        case .action(let number): crashAtAction = number
        case nil: break
        }
    }

    private init(_ scenario: Scenario, _ random: Randomness, bug: PlantedBug?, tracer: ((String) -> Void)?) throws {
        self.scenario = scenario
        self.random = random
        self.bug = bug
        self.tracer = tracer
        disk = SimulatedDisk(random: self.random.split())
        databases = SimulatedDatabases(disk)
        configuration = try SimulatedConfiguration(scenario, scenario.receivers.map(\.settings), serial: 0)
        receivers = scenario.receivers.map { SimulatedReceiver($0, self) }
        senders = scenario.senders.enumerated().map { SimulatedSender($1, number: $0 + 1, self) }
    }

    // MARK: Time

    var now: Int64 { scheduler.now }
    var wallMs: Int64 { Self.wallStartMs + now / 1_000_000 + wallSkewMs }
    var moment: Moment { Moment(monotonicMs: 1_000_000 + now / 1_000_000, wallMs: wallMs) }

    /// Some hours before midnight UTC, so that long runs see a day end.
    private static let wallStartMs: Int64 = 1_700_000_000_000

    // MARK: Running

    /// From the first event until all is delivered and proven.
    func run() {
        databases.seedSQLite()
        disk.nowMs = { [unowned self] in wallMs }
        disk.judge = { [unowned self] in judge($0, $1) }
        prepare()
        open()
        var steps = 0
        while violation == nil, !isAtRest {
            guard scheduler.step() else {
                violate("nothing is left to happen, and not everything is done: \(unfinished)")
                break
            }
            steps += 1
            if disk.isOff { fall() }
            if steps > 300_000 || now > scenario.duration + .seconds(7 * 86_400) {
                violate("it does not come to rest: \(unfinished)")
            }
        }
        figures.changes = disk.changes
        figures.actions = actions
        if violation == nil { checkAtRest() }
        figures.steps = steps
        figures.virtualSeconds = Int(now / 1_000_000_000)
        figures.events = ledger.order.count
        // What refers to each other here would keep each other for ever.
        instance = nil
        scheduler.removeAll()
        receivers = []
        senders = []
        disk.clear()
    }

    private func prepare() {
        for sender in senders { sender.begin() }
        schedule(scenario.crashes) { [unowned self] in planCrash() }
        schedule(scenario.orderlyRestarts) { [unowned self] in restartInOrder() }
        schedule(scenario.diskTroubles) { [unowned self] in beginTrouble() }
        schedule(scenario.pauses) { [unowned self] in pauseSomeTarget() }
        schedule(scenario.clockJumps) { [unowned self] in jumpClock() }
        schedule(scenario.reloads) { [unowned self] in changeConfiguration() }
        schedule(scenario.decisions) { [unowned self] in decideSomething(patience: 4) }
        schedule(scenario.replays) { [unowned self] in replaySomething() }
        for receiver in receivers where receiver.plan.temper == .absent {
            schedule(random.integer(1...3)) { [unowned self] in
                receiver.leave(for: scenario.duration * Int64(random.integer(1...60)) / 100)
            }
        }
        scheduler.after(scenario.duration) { [unowned self] in heal() }
    }

    private func schedule(_ count: Int, _ action: @escaping () -> Void) {
        for _ in 0..<count { scheduler.after(Int64.random(in: 0...scenario.duration, using: &random), action) }
    }

    private var isAtRest: Bool {
        guard isHealed, !disk.isOff, senders.allSatisfy(\.isDone), isConfiguredForGood,
            let engine = instance?.engine
        else { return false }
        guard engine.isIdle else { return false }
        let accounts = engine.reconcile()
        return accounts.targets.allSatisfy { $0.balance.pending == 0 }
            && accounts.replays.allSatisfy { $0.balance.pending == 0 }
    }

    var unfinished: String {
        var parts: [String] = []
        if !senders.allSatisfy(\.isDone) { parts.append("senders still wait for an answer") }
        if let failure = instance?.log.statistics().unavailable {
            parts.append("the log takes nothing: \(failure.message)")
        }
        guard let engine = instance?.engine else {
            return parts.joined(separator: "; ") + "; the program is not running"
        }
        for target in engine.targets() where target.balance.pending > 0 {
            parts.append(
                "\(target.name) is \(target.standing) with \(target.balance.pending) pending, \(target.open) open")
        }
        for replay in engine.reconcile().replays where replay.balance.pending > 0 {
            parts.append(
                "replay \(replay.number) is \(replay.state) (\(replay.reason ?? "")) with \(replay.balance.pending) pending"
            )
        }
        return parts.joined(separator: "; ")
    }

    // MARK: Forgetting

    /// What was answered to the program so shortly before the power fails may be missing in the state file, nanoseconds.
    static let powerCutWindow = Int64.milliseconds(10_200)
    static let killWindow = Int64.milliseconds(100)

    func excuse(_ range: ClosedRange<Int64>) {
        if let last = excuses.last, range.lowerBound <= last.upperBound {
            excuses[excuses.count - 1] = min(last.lowerBound, range.lowerBound)...max(last.upperBound, range.upperBound)
        } else {
            excuses.append(range)
        }
    }

    /// Whether the program may have forgotten what it was told then.
    func isExcused(_ time: Int64) -> Bool { excuses.contains { $0.contains(time) && $0.lowerBound < now } }

    // MARK: Knowing

    /// Where an event is in the log.
    func offset(of id: EventID) -> Int64? {
        if let place = ledger[id]?.place { return place.offset }
        // Its acknowledgement was never given, because the commit failed that kept it all the same.
        guard let place = try? instance?.log.lookup(id)?.place else { return nil }
        ledger.note(place, of: id)
        return place.offset
    }

    // MARK: Telling

    func trace(_ text: @autoclosure () -> String) {
        guard let tracer else { return }
        let milliseconds = now / 1_000_000
        let micro = String(1000 + now / 1000 % 1000).dropFirst()
        tracer("\(milliseconds).\(micro) ms  \(text())")
    }

    /// The first thing that is wrong ends the run.
    func violate(_ text: String) {
        guard violation == nil else { return }
        violation = Violation(text)
        trace("VIOLATION: \(text)")
    }

    var logger: Logger {
        Logger { [unowned self] line in
            trace("  \(line.level.rawValue) \(line.event): \(line.message)")
            // Deliveries go on from what was surely written.
            if line.event == "state_restored" { for receiver in receivers { receiver.forget() } }
        }
    }
}

/// What must never happen and has happened.
package struct Violation: Error, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
