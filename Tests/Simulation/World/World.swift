import Delivery
import EventLog
import Events
import Logging
import Rules
import SimulatedDisk
import YAML

/// Everything there is in one simulation: the program, its disk, its senders and receivers, and what goes wrong.
///
/// Unchecked: confined to the one thread that runs it.
final class World: @unchecked Sendable {
    let seed: UInt64
    let scenario: Scenario
    let bug: PlantedBug?
    let scheduler = Scheduler()
    let disk: SimulatedDisk
    let databases: SimulatedDatabases
    let ledger = Ledger()
    let plan: RulePlan
    let blueprints: [SimulatedBlueprint]
    var random: Randomness
    private(set) var receivers: [SimulatedReceiver] = []
    private(set) var senders: [SimulatedSender] = []

    var instance: Instance?
    var instances = 0
    var isHealed = false
    var violation: Violation?
    var figures = Figures()
    /// How far the wall clock was set from where it should be, milliseconds.
    var wallSkewMs: Int64 = 0

    var logWake: Int64?
    var engineWake: Int64?
    /// When the program was killed that has not been opened again since.
    var downSince: Int64?
    /// At which operation of the disk, or action of the world, the next crash comes.
    var crashAtChange: Int?
    var crashAtAction: Int?
    var actions = 0
    var troubles: [DiskTrouble] = []
    /// When answers were given that the program may have forgotten since.
    private(set) var excuses: [ClosedRange<Int64>] = []
    /// The last time something went wrong that every target may feel.
    var disturbedAt: Int64 = 0
    var paused: Set<String> = []
    /// Whatever was sent to the present run of the program.
    var seen: Set<EventID> = []

    private let tracer: ((String) -> Void)?

    init(seed: UInt64, bug: PlantedBug?, tracer: ((String) -> Void)?) throws {
        self.seed = seed
        self.bug = bug
        self.tracer = tracer
        random = Randomness(seed: seed)
        scenario = Scenario(&random)
        disk = SimulatedDisk(random: random.split())
        databases = SimulatedDatabases(disk)
        blueprints = scenario.receivers.map(SimulatedBlueprint.init)
        plan = try Self.plan(scenario)
        receivers = scenario.receivers.map { SimulatedReceiver($0, self) }
        senders = scenario.senders.enumerated().map { SimulatedSender($1, number: $0 + 1, self) }
    }

    private static func plan(_ scenario: Scenario) throws -> RulePlan {
        var text = "routes:\n"
        for receiver in scenario.receivers {
            let condition = receiver.takesOnlySignIns ? ", when: {event: visitor.signin}" : ""
            text += "  - {name: to-\(receiver.name)\(condition), to: [\(receiver.name)]}\n"
        }
        var diagnostics = Diagnostics()
        let files = RuleLoader.load(
            texts: [("routes.yaml", Array(text.utf8))],
            environment: RuleEnvironment(
                sources: scenario.senders.map(\.name), vendors: [], siteKeys: [],
                targets: scenario.receivers.map(\.name)),
            diagnostics: &diagnostics)
        if diagnostics.hasErrors { throw diagnostics }
        return files.plan
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
        if violation == nil { checkAtRest() }
        figures.steps = steps
        figures.changes = disk.changes
        figures.virtualSeconds = now / 1_000_000_000
        figures.events = ledger.order.count
        // What refers to each other here would keep each other for ever.
        instance = nil
        scheduler.removeAll()
        receivers = []
        senders = []
    }

    private func prepare() {
        for sender in senders { sender.begin() }
        schedule(scenario.crashes) { [unowned self] in planCrash() }
        schedule(scenario.orderlyRestarts) { [unowned self] in restartInOrder() }
        schedule(scenario.diskTroubles) { [unowned self] in beginTrouble() }
        schedule(scenario.pauses) { [unowned self] in pauseSomeTarget() }
        schedule(scenario.clockJumps) { [unowned self] in jumpClock() }
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
        guard isHealed, !disk.isOff, senders.allSatisfy(\.isDone), let engine = instance?.engine else { return false }
        return engine.isIdle && engine.reconcile().targets.allSatisfy { $0.balance.pending == 0 }
    }

    private var unfinished: String {
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
        }
    }
}

/// What must never happen and has happened.
package struct Violation: Error, Sendable, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// What a run met.
package struct Figures: Sendable {
    package var events = 0
    package var steps = 0
    package var virtualSeconds: Int64 = 0
    /// Operations of the disk at which a crash can come.
    package var changes = 0
    package var crashes = 0
    package var powerCuts = 0
    package var faults = 0
    package var attempts = 0
    package var openings = 0

    package init() {}

    package static func += (one: inout Figures, other: Figures) {
        one.events += other.events
        one.steps += other.steps
        one.virtualSeconds += other.virtualSeconds
        one.changes += other.changes
        one.crashes += other.crashes
        one.powerCuts += other.powerCuts
        one.faults += other.faults
        one.attempts += other.attempts
        one.openings += other.openings
    }
}
