internal import Configuration
internal import Console
internal import Events
internal import Ingest
internal import Rehearsal
internal import Rules
internal import Synchronization
internal import YAML

/// Explains events by the rules that are at work.
final class ExplainDesk: EventExplaining {
    private let current = Mutex<Configuration?>(nil)

    /// Takes note of what is at work now.
    func adopt(_ configuration: Configuration) {
        current.withLock { $0 = configuration }
    }

    func explain(_ event: [UInt8], _ view: ExplanationView) throws -> [UInt8] {
        guard let configuration = current.withLock({ $0 }) else { throw RecordError("the instance is starting") }
        let routes = configuration.rules.routes
        let own = routes.filter { view.team == nil || $0.team == view.team }
        if let wanted = view.route, !own.contains(where: { $0.name == wanted }) {
            let near = didYouMean(wanted, among: own.map(\.name))
            throw RecordError("no route is called \(displayable(wanted))\(near)")
        }
        let built: EventView
        do throws(RehearsalError) {
            built = try EventBuilder(sources: configuration.sources, sites: configuration.intake.sites).event(event)
        } catch {
            throw RecordError(error.description)
        }
        let explainer = Explainer(
            sourceZones: configuration.ruleEnvironment.sourceZones,
            seenKeys: view.isMasked ? nil : SeenKeysFile.read(in: configuration.dataFolder))
        let explanation = explainer.explain(routes, built, namesOthers: view.team == nil) { route in
            (view.team == nil || route.team == view.team) && (view.route == nil || route.name == view.route)
        }
        return ExplanationReport(
            event: built, explanation: explanation, targets: configuration.targets, isOfOneRoute: view.route != nil,
            plan: configuration.routes, decided: decided(built, configuration, view), isMasked: view.isMasked
        ).json
    }

    /// A team is told what was decided, and not by which rules of others it would be today.
    private func decided(
        _ event: EventView, _ configuration: Configuration, _ view: ExplanationView
    ) -> DecidedReport? {
        guard view.route == nil else { return nil }
        return DecidedReport(
            of: event, by: view.team == nil ? configuration.rules.decisions : nil,
            sourceZones: configuration.ruleEnvironment.sourceZones, isMasked: view.isMasked)
    }
}
