import Rules
import Targets
import YAML

/// What the program is configured with at a time: a route to every target that is there.
struct SimulatedConfiguration {
    /// In the order of the receivers.
    let targets: [TargetPlan]
    let plan: RulePlan
    let blueprints: [SimulatedBlueprint]

    /// - Parameter serial: tells this configuration's targets from those of another.
    init(_ scenario: Scenario, _ targets: [TargetPlan], serial: Int) throws {
        self.targets = targets
        let configured = zip(scenario.receivers, targets).filter { $0.1.isThere }
        blueprints = configured.map { SimulatedBlueprint($0, $1, serial: serial) }
        plan = try Self.plan(scenario, configured)
    }

    private static func plan(_ scenario: Scenario, _ targets: [(ReceiverPlan, TargetPlan)]) throws -> RulePlan {
        var text = "routes:\n"
        for (receiver, target) in targets {
            let condition = target.takesOnlySignIns ? ", when: {event: visitor.signin}" : ""
            text += "  - {name: to-\(receiver.name)\(condition), to: [\(receiver.name)]}\n"
        }
        var diagnostics = Diagnostics()
        let files = RuleLoader.load(
            texts: [("routes.yaml", Array(text.utf8))],
            environment: RuleEnvironment(
                sources: scenario.senders.map(\.name), vendors: [], siteKeys: [], targets: targets.map(\.0.name)),
            diagnostics: &diagnostics)
        if diagnostics.hasErrors { throw diagnostics }
        return files.plan
    }
}

struct SimulatedBlueprint: TargetBlueprint {
    var settings: TargetSettings
    var destination: String { "memory:\(settings.name)" }

    init(_ receiver: ReceiverPlan, _ target: TargetPlan, serial: Int) {
        settings = TargetSettings(name: receiver.name, type: "simulated")
        settings.start = .beginning
        settings.fingerprint = "\(serial)"
        settings.attempts = receiver.attempts
        settings.enabled = target.isEnabled
        settings.concurrency = target.concurrency
        settings.order = target.ordersByKey ? .key : .none
        settings.batch = target.batch
        settings.rate = target.rate
        settings.giveUpAfter = target.giveUpAfter
    }

    func make(_ context: TargetContext) throws -> any Target { throw SimulationError("made by the simulation alone") }
}

struct SimulationError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
