internal import Events
internal import YAML

/// Reads one element of `tests:`.
struct RouteTestReader {
    let owner: Owner
    let environment: RuleEnvironment
    /// The names of the owner's routes, as the files write them.
    let routes: Set<String>
    /// What is tested is what becomes of a visitor.
    var isOfDecisions = false

    /// - Returns: the test, nil when anything in it is wrong, and its name where it could be read.
    func read(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> (test: RouteTest?, name: YAMLNode?) {
        var found = Diagnostics()
        defer { diagnostics.merge(found) }
        guard var reader = MappingReader(node, "a test", &found) else { return (nil, nil) }
        let nameNode = reader.required("name", &found)
        let name = nameNode?.name(&found)
        let given = reader.required("given", &found).flatMap { self.given($0, &found) }
        if isOfDecisions { return decisionTest(&reader, name, given, node, nameNode, &found) }
        let to = reader.optional("to")
        let targets = to.flatMap { expectedTargets($0, &found) }
        let routesNode = reader.optional("routes")
        let routes = routesNode.flatMap { expectedRoutes($0, &found) }
        if to == nil, routesNode == nil {
            found.error(at: node.location, "a test needs `to:` or `routes:`, [] for none")
        }
        reader.finish(&found)
        guard !found.hasErrors, let name, let given else { return (nil, nameNode) }
        let test = RouteTest(
            name: name, team: owner.team?.name, given: given, targets: targets, routes: routes,
            location: node.location)
        return (test, nameNode)
    }

    private func decisionTest(
        _ reader: inout MappingReader, _ name: String?, _ given: RouteTest.Given?, _ node: YAMLNode,
        _ nameNode: YAMLNode?, _ found: inout Diagnostics
    ) -> (test: RouteTest?, name: YAMLNode?) {
        let decision = reader.required("decision", &found)?
            .choice(of: ExpectedDecision.allCases.map(\.rawValue), &found).flatMap(ExpectedDecision.init)
        let message = reader.optional("message")?.string(&found)
        reader.finish(&found)
        guard !found.hasErrors, let name, let given, let decision else { return (nil, nameNode) }
        let test = RouteTest(
            name: name, team: owner.team?.name, given: given, decision: decision, message: message,
            location: node.location)
        return (test, nameNode)
    }

    // MARK: What must come of it

    private func expectedTargets(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> [String]? {
        TargetNames(owner: owner, environment: environment)
            .read(node.list(&diagnostics), at: node.location, &diagnostics)
    }

    /// Routes with their team; those of other owners are not known here.
    private func expectedRoutes(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> [String]? {
        var names: [String] = []
        let elements = node.list(&diagnostics)
        for element in elements {
            guard let written = element.name(&diagnostics) else { continue }
            let name = localName(written)
            if owner.team != nil || owner.team(in: name) == nil, !routes.contains(name) {
                diagnostics.error(
                    at: element.location, "no route is called `\(displayable(written))`",
                    didYouMean: nearest(name, among: routes.sorted()))
                continue
            }
            let whole = owner.qualified(name)
            if names.contains(whole) {
                diagnostics.error(at: element.location, "the route `\(displayable(written))` is named twice")
            }
            names.append(whole)
        }
        return names.count == elements.count ? names : nil
    }

    /// A team may name its own routes with or without its name.
    private func localName(_ name: String) -> String {
        guard let team = owner.team, name.hasPrefix(team.name + "/") else { return name }
        return String(name.dropFirst(team.name.count + 1))
    }

    // MARK: The event

    private func given(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> RouteTest.Given? {
        guard var reader = MappingReader(node, "`given:`", &diagnostics) else { return nil }
        let sample = reader.optional("sample")
        let payload = reader.optional("payload")
        let event = reader.optional("event")
        let changes = reader.entry("set")
        let source = reader.entry("source")
        reader.finish(&diagnostics)
        guard [sample, payload, event].filter({ $0 != nil }).count == 1 else {
            diagnostics.error(
                at: node.location,
                "`given:` takes one of `sample:` (with `set:`), `payload:` (with `source:`) and `event:`")
            return nil
        }
        if let changes, sample == nil {
            diagnostics.error(at: changes.key.location, "`set:` stands beside `sample:`; write the value itself")
            return nil
        }
        if let source, payload == nil {
            diagnostics.error(at: source.key.location, "`source:` stands beside `payload:`")
            return nil
        }
        if let sample { return self.sample(sample, changes?.value, &diagnostics) }
        if let payload { return self.payload(payload, source?.value, &diagnostics) }
        return event.flatMap { object($0, "event", &diagnostics) }.map { .event($0) }
    }

    /// `signinapp/visitor.signin`; whether there is such a sample is seen when the test is run.
    private func sample(
        _ node: YAMLNode, _ set: YAMLNode?, _ diagnostics: inout Diagnostics
    ) -> RouteTest.Given? {
        let changes = set.map { FieldChangeReader().changes($0, &diagnostics) } ?? []
        guard let text = node.name(&diagnostics) else { return nil }
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[1].isEmpty else {
            diagnostics.error(
                at: node.location,
                "a sample is written VENDOR/EVENT, such as signinapp/visitor.signin, not `\(displayable(text))`")
            return nil
        }
        guard environment.vendors.contains(parts[0]) else {
            let vendors = environment.vendors
            let suggestion = nearest(parts[0], among: vendors)
            diagnostics.error(
                at: node.location,
                "no vendor is called `\(displayable(parts[0]))`"
                    + (suggestion == nil ? "; there are \(vendors.joined(separator: ", "))" : ""),
                didYouMean: suggestion)
            return nil
        }
        return .sample(vendor: parts[0], event: parts[1], changes: changes)
    }

    private func payload(
        _ node: YAMLNode, _ source: YAMLNode?, _ diagnostics: inout Diagnostics
    ) -> RouteTest.Given? {
        let payload = object(node, "payload", &diagnostics)
        guard let source else {
            diagnostics.error(at: node.location, "`payload:` needs `source:` beside it: whose notification it is")
            return nil
        }
        guard let name = source.name(&diagnostics) else { return nil }
        guard environment.sources.contains(name) else {
            let suggestion = nearest(name, among: environment.sources)
            diagnostics.error(
                at: source.location,
                "no source is called `\(displayable(name))`"
                    + (suggestion == nil ? "; there are \(environment.sources.joined(separator: ", "))" : ""),
                didYouMean: suggestion)
            return nil
        }
        return payload.map { .payload($0, source: name) }
    }

    private func object(_ node: YAMLNode, _ key: String, _ diagnostics: inout Diagnostics) -> [UInt8]? {
        guard node.entries != nil else {
            diagnostics.error(
                at: node.location, "`\(key):` must be a mapping (`key: value`), found \(node.kindName)")
            return nil
        }
        return NodeJSON.text(node, &diagnostics)
    }
}
