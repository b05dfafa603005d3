internal import Rules
internal import YAML

extension Team {
    /// The most teams of one configuration.
    private static let most = 1000

    /// Decodes `teams:`; every team whose own entry is right.
    /// - Parameter references: paths that a `${…}` stands for, and how they are written.
    static func decode(
        _ node: YAMLNode?, environment: RuleEnvironment, references: inout [String: String],
        _ diagnostics: inout Diagnostics
    ) -> [Team] {
        var teams: [Team] = []
        for entry in node?.mapping("teams", &diagnostics) ?? [] {
            guard Names.check(entry, "a team's name", &diagnostics) else { continue }
            guard teams.count < most else {
                diagnostics.error(at: entry.key.location, "more than \(most) teams")
                break
            }
            if let team = decode(entry, environment, &references, &diagnostics) { teams.append(team) }
        }
        return teams
    }

    private static func decode(
        _ entry: YAMLEntry, _ environment: RuleEnvironment, _ references: inout [String: String],
        _ diagnostics: inout Diagnostics
    ) -> Team? {
        let what = "team \(entry.name)"
        guard var reader = MappingReader(entry.value, what, &diagnostics) else { return nil }
        let files = reader.required("files", &diagnostics)
        let paths = files?.paths(&references, &diagnostics)
        if let files, paths?.isEmpty ?? true, files.elements?.isEmpty ?? false {
            diagnostics.error(at: files.location, "`files:` names no file; name the team's folder")
        }
        let decisions = reader.optional("decisions")?.onePath(&references, &diagnostics)
        // Left out by mistake it would be the widest there is.
        let scope = reader.optional("scope")
        if scope == nil {
            diagnostics.error(
                at: reader.location, "\(what) needs `scope:`: the events it may see; write {} for every event")
        }
        let targets = reader.required("targets", &diagnostics).map { names($0, environment, &diagnostics) }
        reader.finish(&diagnostics)
        guard let files, let paths, let scope, let targets else { return nil }
        return Team(
            name: entry.name, paths: paths, decisions: decisions, targets: targets, scope: scope,
            location: files.location, environment: environment, &diagnostics)
    }

    /// The targets the team may name, each once. An empty list is a team that may route nothing yet.
    private static func names(
        _ node: YAMLNode, _ environment: RuleEnvironment, _ diagnostics: inout Diagnostics
    ) -> [String] {
        var targets: [String] = []
        for element in node.list(&diagnostics) {
            guard let name = element.name(&diagnostics), element.scalar?.isResolved ?? false else { continue }
            if !environment.targets.contains(name) {
                diagnostics.error(
                    at: element.location, "no target is called `\(element.scalar?.displayText ?? "")`",
                    didYouMean: element.scalar?.reference == nil ? nearest(name, among: environment.targets) : nil)
            } else if targets.contains(name) {
                diagnostics.error(
                    at: element.location, "the target `\(element.scalar?.displayText ?? "")` is named twice")
            } else {
                targets.append(name)
            }
        }
        return targets
    }
}

extension YAMLNode {
    /// One path or a list of them; what a reference without a value stands for is left out.
    /// - Parameter references: takes up the paths that a `${…}` stands for, and how they are written.
    func paths(_ references: inout [String: String], _ diagnostics: inout Diagnostics) -> [String] {
        var paths: [String] = []
        for element in list(&diagnostics) {
            guard let path = element.path(&diagnostics), let scalar = element.scalar, scalar.isResolved else {
                continue
            }
            paths.append(path)
            if scalar.reference != nil { references[path] = scalar.displayText }
        }
        return paths
    }

    /// One path; nil where it is none, or a reference in it has no value.
    func onePath(_ references: inout [String: String], _ diagnostics: inout Diagnostics) -> String? {
        guard elements == nil else {
            diagnostics.error(at: location, "this names one file, not a list")
            return nil
        }
        return paths(&references, &diagnostics).first
    }
}
