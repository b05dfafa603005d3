internal import Events
package import YAML

/// One rule: which events go to which targets.
package struct Route: Sendable {
    package let name: String
    package let description: String?
    package let isEnabled: Bool
    /// In the order written, each once.
    package let targets: [String]
    package let location: SourceLocation
    let condition: Condition

    /// Its meaning as text: two routes of the same text take the same events to the same targets.
    var canonicalText: String {
        "\(name.utf8.count):\(name) when \(condition.canonicalText) to \(targets.joined(separator: ","))\n"
    }
}

/// Reads one element of `routes:`.
struct RouteReader {
    let environment: RuleEnvironment

    private static let longestName = 128
    private static let mostTargets = 1000
    /// Keys of the language that this version has no use for.
    private static let laterKeys = ["unmatched"]

    /// - Returns: the route, nil when anything in it is wrong, and its name where it could be read.
    func read(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> (route: Route?, name: YAMLNode?) {
        var found = Diagnostics()
        defer { diagnostics.merge(found) }
        guard var reader = MappingReader(node, "a route", &found) else { return (nil, nil) }
        let nameNode = reader.required("name", &found)
        let name = nameNode.flatMap { self.name($0, &found) }
        let description = reader.optional("description")?.string(&found)
        let isEnabled = reader.optional("enabled").map { $0.boolean(&found) } ?? true
        let when = reader.optional("when")
        let condition = when.map { ConditionReader(environment: environment).when($0, &found) } ?? .all([])
        let targets = reader.required("to", &found).flatMap { self.targets($0, &found) }
        for key in Self.laterKeys {
            if let entry = reader.entry(key) {
                found.error(at: entry.key.location, "`\(key):` is not available in this version")
            }
        }
        reader.finish(&found)
        guard !found.hasErrors, let name, let isEnabled, let condition, let targets else { return (nil, nameNode) }
        let route = Route(
            name: name, description: description, isEnabled: isEnabled, targets: targets, location: node.location,
            condition: condition)
        return (route, nameNode)
    }

    private func name(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> String? {
        guard let name = node.name(&diagnostics) else { return nil }
        guard name.utf8.count <= Self.longestName, name == displayable(name) else {
            diagnostics.error(
                at: node.location, "a route's name has at most \(Self.longestName) bytes and no control characters")
            return nil
        }
        return name
    }

    private func targets(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> [String]? {
        let elements = node.list(&diagnostics)
        if elements.isEmpty, !node.isNull {
            diagnostics.error(at: node.location, "`to:` names no target; use `enabled: false` to rest a route")
        }
        guard elements.count <= Self.mostTargets else {
            diagnostics.error(at: node.location, "a route has at most \(Self.mostTargets) targets")
            return nil
        }
        var targets: [String] = []
        for element in elements {
            guard let name = element.string(&diagnostics) else { return nil }
            if !environment.targets.contains(name) {
                reportUnknown(name, element, &diagnostics)
            } else if targets.contains(name) {
                diagnostics.error(at: element.location, "the target `\(displayable(name))` is named twice")
            }
            targets.append(name)
        }
        return targets.isEmpty ? nil : targets
    }

    private func reportUnknown(_ name: String, _ node: YAMLNode, _ diagnostics: inout Diagnostics) {
        let suggestion = nearest(name, among: environment.targets)
        var hint = ""
        if environment.targets.isEmpty {
            hint = "; targets: has none"
        } else if suggestion == nil, environment.targets.count <= 16 {
            hint = "; there are \(environment.targets.joined(separator: ", "))"
        }
        diagnostics.error(
            at: node.location, "no target is called `\(displayable(name))`\(hint)", didYouMean: suggestion)
    }
}
