internal import FieldPolicies
internal import Ingest
internal import Rules
internal import Targets
internal import Vendors
internal import YAML

extension Configuration {
    /// Warns of what a target's templates name although no source, whose events routes bring there, keeps it.
    func checkTemplates(_ diagnostics: inout Diagnostics) {
        guard sources.contains(where: { $0.fieldPolicy != nil }) else { return }
        let reaches = routes.routes.map { (targets: $0.targets, reach: SourceReach($0)) }
        for target in targets where target.settings.enabled {
            let leading = reaches.filter { $0.targets.contains(target.settings.name) }.map(\.reach)
            let sources = sources.filter { source in
                leading.contains { $0.mayTake(source: source.name, vendor: source.vendor.name) }
            }
            let policies = sources.compactMap(\.fieldPolicy)
            guard !sources.isEmpty, policies.count == sources.count else { continue }
            for named in target.namedFields where policies.allSatisfy(named.isRemoved(by:)) {
                diagnostics.warning(
                    at: target.place(of: named),
                    "{\(displayable(named.name))} is removed by the field policy of "
                        + sources.map { displayable($0.name) }.joined(separator: " and ")
                        + ", and no other source's events come here: there is never anything of it to write; leave it out "
                        + "here, or let the policy keep it")
            }
        }
    }
}
