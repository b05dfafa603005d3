internal import Ingest
internal import Rules
internal import Targets
internal import Vendors
internal import YAML

extension Configuration {
    /// The sources of whose events nothing of the sender's own payload is kept.
    package var sourcesWithoutOriginal: [String] {
        sources.filter { $0.fieldPolicy != nil }.map(\.name)
    }

    /// Under a field policy a source keeps no `original`: reports what could not do without one.
    func checkOriginals(_ diagnostics: inout Diagnostics) {
        guard !sourcesWithoutOriginal.isEmpty else { return }
        let reaches = routes.routes.map { (route: $0, reach: SourceReach($0)) }
        for target in targets where target.sendsOriginalAlone && target.settings.enabled {
            let name = target.settings.name
            guard let location = targetLocations.first(where: { $0.name == name })?.location else { continue }
            let leading = reaches.filter { $0.route.targets.contains(name) }.map(\.reach)
            check(target: name, location, sources: sources(of: leading), &diagnostics)
        }
        for (route, reach) in reaches { check("route `\(displayable(route.name))`", reach, &diagnostics) }
        for decision in rules.decisions?.decisions ?? [] {
            check("decision `\(displayable(decision.name))`", SourceReach(decision), &diagnostics)
        }
    }

    private func sources(of reaches: [SourceReach]) -> [SourceConfiguration] {
        sources.filter { source in
            reaches.contains { $0.mayTake(source: source.name, vendor: source.vendor.name) }
        }
    }

    /// - Parameter sources: those whose events may be sent there.
    private func check(
        target: String, _ location: SourceLocation, sources: [SourceConfiguration], _ diagnostics: inout Diagnostics
    ) {
        let without = sources.filter { $0.fieldPolicy != nil }.map(\.name)
        guard !without.isEmpty else { return }
        let names = without.joined(separator: " and ")
        let cause =
            "the target \(displayable(target)) sends the sender's own payload, which \(names) "
            + "\(without.count == 1 ? "does" : "do") not keep under a field policy"
        if without.count == sources.count {
            diagnostics.error(
                at: location, "\(cause), so nothing could be sent there; send it another body, or leave the policy out")
        } else {
            diagnostics.warning(
                at: location,
                "\(cause): every event of \(names) that a route brings there will be a dead letter; keep them out of its "
                    + "routes by `source: {not: …}`, or send it another body")
        }
    }

    private func check(_ rule: String, _ reach: SourceReach, _ diagnostics: inout Diagnostics) {
        guard let location = reach.asksOriginal else { return }
        let sources = sources(of: [reach])
        guard !sources.isEmpty, sources.allSatisfy({ $0.fieldPolicy != nil }) else { return }
        diagnostics.warning(
            at: location,
            "the \(rule) asks the sender's own payload (`json:`), which \(sources.map(\.name).joined(separator: " and ")) "
                + "\(sources.count == 1 ? "does" : "do") not keep under a field policy: there is never anything to find"
        )
    }
}
