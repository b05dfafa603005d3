import Delivery
import EventLog
import Events
import Logging
import Metrics
import Rules
import SimulatedDisk
import Targets
import YAML

/// One run of the program: the log, the state file and the delivery engine, opened in the program's own order and driven
/// turn by turn.
final class Instance {
    let log: SQLiteEventLog
    let store: DeliveryStore
    let engine: DeliveryEngine
    let number: Int

    static let folder = "/data"

    init(_ world: World, number: Int) throws {
        self.number = number
        log = try SQLiteEventLog.openWithoutThreads(folder: Self.folder, options: world.logOptions)
        store = try DeliveryStore.open(
            folder: Self.folder, vfs: world.databases.name, checkpointPages: world.scenario.statePages)
        try world.bug?.plant(into: DeliveryStore.path(in: Self.folder), vfs: world.databases.name)
        var retention = DeliveryRetention()
        retention.ageMs = world.scenario.retentionMs
        engine = try DeliveryEngine(
            log: log, store: store, plan: world.configuration.plan, blueprints: world.configuration.blueprints,
            metrics: MetricsRegistry(),
            logger: world.logger, retention: retention, clock: { world.moment }, seed: { world.random.next() },
            adjust: { world.adjust(&$0) },
            makeTarget: { blueprint in
                guard let receiver = world.receivers.first(where: { $0.plan.name == blueprint.settings.name }) else {
                    throw SimulationError("there is no such receiver")
                }
                return SimulatedTarget(receiver, world)
            })
        log.onAppend { world.engineHasWork() }
        log.retain { [weak engine] in engine?.lowestUnfinished() ?? LogPosition(offsets: [0]) }
    }

    /// Ends in good order, as the program does.
    func close() {
        engine.stop(within: .zero)
        log.close()
    }
}
