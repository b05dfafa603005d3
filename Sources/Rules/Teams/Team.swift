package import YAML

/// An entry of `teams:`: whose files are whose, and what their routes may see and reach.
package struct Team: Sendable {
    package var name: String
    /// Files and folders.
    package var paths: [String]
    /// Its file of decisions.
    package var decisionsPath: String?
    /// The targets its routes may name.
    package var targets: [String]
    /// What every event its routes take must meet.
    var scope: Condition
    /// Where the configuration names its files.
    package var location: SourceLocation

    /// - Parameters:
    ///   - decisions: the path of its file of decisions.
    ///   - scope: a condition in the route language; `{}` for every event.
    ///   - environment: what the scope may name.
    package init?(
        name: String, paths: [String], decisions: String? = nil, targets: [String], scope: YAMLNode,
        location: SourceLocation, environment: RuleEnvironment, _ diagnostics: inout Diagnostics
    ) {
        if let reference = Self.reference(in: scope) {
            // Conditions are shown to people, and a reference may stand for a secret.
            diagnostics.error(at: reference, "a scope holds no ${…}: write the value itself")
            return nil
        }
        if scope.isNull {
            diagnostics.error(at: scope.location, "`scope:` is empty; write {} for every event")
            return nil
        }
        guard let condition = ConditionReader(environment: environment).when(scope, &diagnostics) else { return nil }
        self.name = name
        self.paths = paths
        decisionsPath = decisions
        self.targets = targets
        self.scope = condition
        self.location = location
    }

    private static func reference(in node: YAMLNode) -> SourceLocation? {
        switch node.content {
        case .scalar(let scalar): scalar.reference == nil ? nil : node.location
        case .sequence(let elements): elements.lazy.compactMap(reference).first
        case .mapping(let entries): entries.lazy.compactMap { reference(in: $0.value) }.first
        }
    }
}
