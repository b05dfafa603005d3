internal import Events
internal import JSON
package import Rules
internal import YAML

/// The routes and teams of an instance, as `routes` lists them.
package struct RouteListing: Sendable {
    private let rules: RuleSets
    private let residual: Set<String>
    /// When the main files' routes were first at work: milliseconds since 1970; nil when nothing is at work.
    private let mainSinceMs: Int64?

    package static let pageRoutes = 1000

    /// - Parameter mainSinceMs: since when the main files' routes are at work; nil for an instance that is stopped.
    package init(_ rules: RuleSets, mainSinceMs: Int64? = nil) {
        self.rules = rules
        self.mainSinceMs = mainSinceMs
        residual = Set(rules.plan.residualRoutes.map { rules.plan.routes[$0].name })
    }

    /// Of every enabled route.
    var plan: RulePlan { rules.plan }

    // MARK: Routes

    /// - Parameters:
    ///   - pageSize: routes looked at for one page.
    ///   - errors: how often each route could not be evaluated, by its name; nil when nobody counts.
    package func routes(
        _ query: ListQuery, after cursor: String?, pageSize: Int = pageRoutes, errors: [String: Int64]?
    ) throws -> RecordPage {
        guard let first = cursor.map({ Int($0) }) ?? 0, first >= 0 else {
            throw RecordError("the cursor is not one of ours")
        }
        if let limit = query.limit {
            let chosen = rules.routes.lazy.filter(query.takes).suffix(limit)
            return RecordPage(lines: chosen.map { line($0, errors) })
        }
        let end = min(first + pageSize, rules.routes.count)
        guard first < end else { return RecordPage(lines: []) }
        let lines = rules.routes[first..<end].filter(query.takes).map { line($0, errors) }
        return RecordPage(lines: lines, next: end < rules.routes.count ? String(end) : nil)
    }

    private func line(_ route: Route, _ errors: [String: Int64]?) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("name")
        writer.string(route.name)
        writer.key("team")
        writer.optional(route.team)
        writer.key("file")
        writer.string(route.location.file)
        writer.key("line")
        writer.integer(Int64(route.location.line))
        writer.key("targets")
        writer.strings(route.targets)
        writer.key("enabled")
        writer.bool(route.isEnabled)
        writer.key("unmatched")
        writer.bool(route.takesUnmatched)
        writer.key("description")
        writer.optional(route.description)
        writer.key("since")
        writer.moment(since(route))
        writer.key("kept")
        writer.bool(team(of: route)?.state == .kept)
        writer.key("residual")
        writer.bool(residual.contains(route.name))
        writer.key("errors")
        if let errors { writer.integer(errors[route.name] ?? 0) } else { writer.null() }
        writer.endObject()
        return writer.bytes
    }

    private func team(of route: Route) -> TeamStanding? {
        route.team.flatMap { name in rules.teams.first { $0.name == name } }
    }

    private func since(_ route: Route) -> Int64? {
        route.team == nil ? mainSinceMs : team(of: route)?.sinceMs
    }

    // MARK: Teams

    package func teams(_ query: ListQuery) -> RecordPage {
        let teams = rules.teams.filter { query.team == nil || $0.name == query.team }
        return RecordPage(lines: teams.map(Self.line))
    }

    private static func line(_ team: TeamStanding) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("name")
        writer.string(team.name)
        writer.key("state")
        writer.string(team.state.rawValue)
        writer.key("since")
        writer.moment(team.sinceMs)
        writer.key("routes")
        writer.integer(Int64(team.routeCount))
        writer.key("files")
        writer.strings(team.team.paths)
        writer.key("targets")
        writer.strings(team.team.targets)
        writer.key("errors")
        writer.integer(Int64(team.errorCount))
        writer.key("error")
        writer.optional(team.error?.description)
        writer.endObject()
        return writer.bytes
    }
}

extension ListQuery {
    fileprivate func takes(_ route: Route) -> Bool {
        (team == nil || route.team == team) && (target.map(route.targets.contains) ?? true)
    }
}

extension JSONWriter {
    fileprivate mutating func optional(_ text: String?) {
        if let text { string(text) } else { null() }
    }

    /// RFC 3339, UTC.
    fileprivate mutating func moment(_ milliseconds: Int64?) {
        optional(milliseconds.map { Timestamp(milliseconds: $0).text })
    }
}
