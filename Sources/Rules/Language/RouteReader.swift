internal import YAML

/// What `defaults:` of a file says: keys that a route has where it does not say them itself.
struct RouteDefaults {
    var description: String?
    var isEnabled = true
    var takesUnmatched = false
    /// Holds beside a route's own `when:`.
    var condition: Condition?
    var targets: [String]?
    /// Whether `to:` stands there, right or wrong.
    var hasTargets = false
}

/// Reads the routes of one file.
struct RouteReader {
    let owner: Owner
    let environment: RuleEnvironment
    let conditions: ConditionReader
    /// What the team and the file confine their routes to.
    var scope: Condition?
    var defaults = RouteDefaults()

    /// - Returns: the route, nil when anything in it is wrong, and its name where it could be read.
    func route(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> (route: Route?, name: YAMLNode?) {
        var found = Diagnostics()
        defer { diagnostics.merge(found) }
        guard var reader = MappingReader(node, "a route", &found) else { return (nil, nil) }
        let nameNode = reader.required("name", &found)
        if let nameNode { _ = owner.isName(nameNode, "a route's name", &found) }
        let own = keys(&reader, &found)
        let targets = own.targets ?? defaults.targets
        if !own.hasTargets, !defaults.hasTargets {
            found.error(at: node.location, "a route needs `to:`")
        }
        let takesUnmatched = reader.optional("unmatched") == nil ? defaults.takesUnmatched : own.takesUnmatched
        reader.finish(&found)
        guard !found.hasErrors, let name = nameNode?.scalar?.text, let targets else { return (nil, nameNode) }
        let parts = [defaults.condition, own.condition].compactMap { $0 }
        let route = Route(
            name: owner.qualified(name), team: owner.team?.name, description: own.description ?? defaults.description,
            isEnabled: reader.optional("enabled") == nil ? defaults.isEnabled : own.isEnabled,
            takesUnmatched: takesUnmatched, targets: targets, location: node.location, scope: scope,
            condition: .conjunction(parts))
        return (route, nameNode)
    }

    /// `defaults:` of the file.
    func defaults(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> RouteDefaults {
        guard var reader = MappingReader(node, "`defaults:`", &diagnostics) else { return RouteDefaults() }
        let defaults = keys(&reader, &diagnostics)
        if let entry = reader.entry("name") {
            diagnostics.error(at: entry.key.location, "each route has a name of its own; `defaults:` gives none")
        }
        reader.finish(&diagnostics)
        return defaults
    }

    /// What a route and `defaults:` may both say.
    private func keys(_ reader: inout MappingReader, _ diagnostics: inout Diagnostics) -> RouteDefaults {
        var keys = RouteDefaults()
        keys.description = reader.optional("description")?.string(&diagnostics)
        keys.isEnabled = reader.optional("enabled").flatMap { $0.boolean(&diagnostics) } ?? true
        keys.takesUnmatched = reader.entry("unmatched").flatMap { unmatched($0, &diagnostics) } ?? false
        keys.condition = reader.optional("when").flatMap { conditions.when($0, &diagnostics) }
        let to = reader.optional("to")
        keys.hasTargets = to != nil
        keys.targets = to.flatMap { targets($0, &diagnostics) }
        return keys
    }

    private func unmatched(_ entry: YAMLEntry, _ diagnostics: inout Diagnostics) -> Bool? {
        if owner.team != nil {
            diagnostics.error(
                at: entry.key.location,
                "`unmatched:` stands only in the main files: it takes what no route of any team took")
            return nil
        }
        return entry.value.boolean(&diagnostics)
    }

    // MARK: Targets

    /// One target or a list of them; nil, and an error, when any is wrong.
    func targets(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> [String]? {
        let elements = node.list(&diagnostics)
        if elements.isEmpty, !node.isNull {
            diagnostics.error(at: node.location, "`to:` names no target; use `enabled: false` to rest a route")
        }
        return TargetNames(owner: owner, environment: environment).read(elements, at: node.location, &diagnostics)
            .flatMap { $0.isEmpty ? nil : $0 }
    }
}

/// Names of targets that an owner may use.
struct TargetNames {
    let owner: Owner
    let environment: RuleEnvironment

    private static let most = 1000

    /// Each once; nil, and errors, when any is wrong.
    func read(
        _ elements: [YAMLNode], at location: SourceLocation, _ diagnostics: inout Diagnostics
    ) -> [String]? {
        guard elements.count <= Self.most else {
            diagnostics.error(at: location, "`to:` takes at most \(Self.most) targets")
            return nil
        }
        let known = owner.team?.targets ?? environment.targets
        var targets: [String] = []
        var isRight = true
        for element in elements {
            guard let name = element.string(&diagnostics) else { return nil }
            if !known.contains(name) {
                reportUnknown(name, known, element, &diagnostics)
                isRight = false
            } else if targets.contains(name) {
                diagnostics.error(at: element.location, "the target `\(displayable(name))` is named twice")
                isRight = false
            }
            targets.append(name)
        }
        return isRight ? targets : nil
    }

    private func reportUnknown(
        _ name: String, _ known: [String], _ node: YAMLNode, _ diagnostics: inout Diagnostics
    ) {
        let suggestion = nearest(name, among: known)
        // A team learns of its own targets only.
        if let team = owner.team {
            diagnostics.error(
                at: node.location,
                "team \(team.name) has no target called `\(displayable(name))`; "
                    + (known.isEmpty ? "it has none" : "it has \(known.joined(separator: ", "))"),
                didYouMean: suggestion)
            return
        }
        var hint = ""
        if known.isEmpty {
            hint = "; targets: has none"
        } else if suggestion == nil, known.count <= 16 {
            hint = "; there are \(known.joined(separator: ", "))"
        }
        diagnostics.error(
            at: node.location, "no target is called `\(displayable(name))`\(hint)", didYouMean: suggestion)
    }
}
