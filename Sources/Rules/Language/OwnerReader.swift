internal import Events
internal import YAML

/// Reads all files of one owner: first what has a name, then what uses names.
struct OwnerReader {
    /// The parts of a file that may name what stands in another.
    private struct Sections {
        var scope: YAMLNode?
        var defaults: YAMLNode?
        var routes: [YAMLNode] = []
        var decisions: [YAMLNode] = []
        var tests: [YAMLNode] = []
        var areDecisionTests = false
    }

    private let owner: Owner
    private let environment: RuleEnvironment
    private let names: RuleNames
    private var sections: [Sections] = []
    private var result: RuleFiles
    private var diagnostics = Diagnostics()
    private var routeNames: [String: SourceLocation] = [:]
    private var decisionNames: [String: SourceLocation] = [:]
    private var testNames: [String: SourceLocation] = [:]
    private let mostRoutes: Int
    private var count = 0
    private var budget = maximumYAMLNodes

    static let keys = ["routes", "defaults", "scope", "conditions", "calendars", "lists", "tests"]

    /// - Parameter lists: files of lists that are read in the place of those on the disk, by their paths; nil: those on the
    ///   disk.
    init(
        team: Team?, environment: RuleEnvironment, lists: [String: [UInt8]]? = nil,
        mostRoutes: Int = RuleLoader.mostRoutes
    ) {
        self.mostRoutes = mostRoutes
        owner = Owner(team: team, teams: environment.teams)
        self.environment = environment
        names = RuleNames(owner: owner, environment: environment, lists: lists)
        result = RuleFiles(team: team?.name)
    }

    // MARK: Files

    mutating func parse(_ bytes: [UInt8], file: String) {
        if let root = root(bytes, file: file) { routeFile(root) }
    }

    /// A file of decisions.
    mutating func parseDecisions(_ bytes: [UInt8], file: String) {
        if let root = root(bytes, file: file) { decisionFile(root) }
    }

    private mutating func root(_ bytes: [UInt8], file: String) -> YAMLNode? {
        result.files.append(file)
        do throws(Diagnostics) {
            return try parseYAML(bytes, file: file, budget: &budget, duplicates: &diagnostics)
        } catch {
            diagnostics.merge(error)
            return nil
        }
    }

    private mutating func routeFile(_ root: YAMLNode) {
        guard var reader = MappingReader(root, "a file of routes", &diagnostics) else { return }
        var section = Sections()
        if let list = reader.optional("routes") { section.routes = elements(list, "routes") }
        section.defaults = reader.optional("defaults")
        section.scope = reader.optional("scope")
        common(&reader, &section)
        if root.entries?.isEmpty ?? false {
            diagnostics.error(at: root.location, "the file is empty; a file of routes has `routes:`")
        }
    }

    private mutating func decisionFile(_ root: YAMLNode) {
        guard var reader = MappingReader(root, "a file of decisions", &diagnostics) else { return }
        var section = Sections()
        section.areDecisionTests = true
        if let list = reader.optional("decisions") { section.decisions = elements(list, "decisions") }
        if let entry = reader.entry("default") { result.fallback = fallback(entry) }
        common(&reader, &section)
        if root.entries?.isEmpty ?? false {
            diagnostics.error(at: root.location, "the file is empty; a file of decisions has `decisions:`")
        }
    }

    /// What becomes of those that no decision takes.
    private mutating func fallback(_ entry: YAMLEntry) -> DecisionOutcome? {
        if owner.team != nil {
            diagnostics.error(
                at: entry.key.location, "`default:` stands only in the main file: whom no decision of any team takes")
            return nil
        }
        return entry.value.choice(of: DecisionOutcome.allCases.map(\.rawValue), &diagnostics)
            .flatMap(DecisionOutcome.init)
    }

    /// What files of both kinds may hold.
    private mutating func common(_ reader: inout MappingReader, _ section: inout Sections) {
        if let node = reader.optional("conditions") { names.collectConditions(node, &diagnostics) }
        if let node = reader.optional("calendars") { names.collectCalendars(node, &diagnostics) }
        if let node = reader.optional("lists") { names.collectLists(node, &diagnostics) }
        if let list = reader.optional("tests") { section.tests = elements(list, "tests") }
        reader.finish(&diagnostics)
        sections.append(section)
    }

    private mutating func elements(_ node: YAMLNode, _ key: String) -> [YAMLNode] {
        if let elements = node.elements { return elements }
        diagnostics.error(at: node.location, "`\(key):` takes a list (`- name: …`), found \(node.kindName)")
        return []
    }

    // MARK: What they say

    consuming func finish() -> RuleFiles {
        result.conditions = names.finish(&diagnostics)
        result.lists = names.listSources
        if owner.team == nil {
            result.admissions = TargetAdmission.read(environment, names, &diagnostics)
        }
        for index in sections.indices {
            // Taken off one by one from the end, so that no text of a route is kept longer than it is needed.
            var nodes: [YAMLNode] = []
            swap(&nodes, &sections[index].routes)
            nodes.reverse()
            routes(&nodes, sections[index])
        }
        let decisions = DecisionReader(
            owner: owner, environment: environment, conditions: ConditionReader(names: names))
        for section in sections {
            for node in section.decisions where !diagnostics.isFull { decision(node, decisions) }
        }
        for section in sections {
            let tests = RouteTestReader(
                owner: owner, environment: environment, routes: Set(routeNames.keys),
                isOfDecisions: section.areDecisionTests)
            for node in section.tests where !diagnostics.isFull { test(node, tests) }
        }
        if !diagnostics.hasErrors {
            let checks = RouteChecks(environment: environment)
            checks.check(result.routes, &diagnostics)
            checks.check(result.decisions, &diagnostics)
        }
        result.diagnostics = diagnostics
        return result
    }

    private mutating func routes(_ nodes: inout [YAMLNode], _ section: Sections) {
        var reader = RouteReader(
            owner: owner, environment: environment, conditions: ConditionReader(names: names), scope: owner.team?.scope)
        if let node = section.scope, let scope = scope(node) {
            reader.scope = .conjunction([owner.team?.scope, scope].compactMap { $0 })
        }
        if let node = section.defaults { reader.defaults = reader.defaults(node, &diagnostics) }
        // Who has that many errors mends the first ones; to look for the rest may take long.
        while !diagnostics.isFull, let node = nodes.popLast() { route(node, reader) }
    }

    /// `scope:` of a file; it narrows the team's.
    private mutating func scope(_ node: YAMLNode) -> Condition? {
        guard !node.isNull, node.entries?.isEmpty != true else {
            diagnostics.error(at: node.location, "`scope:` is empty; remove it, or write what routes are confined to")
            return nil
        }
        return ConditionReader(names: names).when(node, "scope", &diagnostics)
    }

    private mutating func route(_ node: YAMLNode, _ reader: RouteReader) {
        count += 1
        guard count <= mostRoutes else {
            if count == mostRoutes + 1 { diagnostics.error(at: node.location, "more than \(mostRoutes) routes") }
            return
        }
        let (route, nameNode) = reader.route(node, &diagnostics)
        if let nameNode, let name = nameNode.scalar?.text, !name.isEmpty {
            if let first = routeNames[name] {
                diagnostics.error(
                    at: nameNode.location, "a route called `\(displayable(name))` is already at \(first)")
                return
            }
            routeNames[name] = nameNode.location
        }
        if let route { result.routes.append(route) }
    }

    private mutating func decision(_ node: YAMLNode, _ reader: DecisionReader) {
        let (decision, nameNode) = reader.decision(node, &diagnostics)
        guard result.decisions.count < Self.mostDecisions else {
            diagnostics.error(at: node.location, "more than \(Self.mostDecisions) decisions")
            return
        }
        if let nameNode, let name = nameNode.scalar?.text, !name.isEmpty {
            if let first = decisionNames[name] {
                diagnostics.error(
                    at: nameNode.location, "a decision called `\(displayable(name))` is already at \(first)")
                return
            }
            decisionNames[name] = nameNode.location
        }
        if let decision { result.decisions.append(decision) }
    }

    static let mostDecisions = 10_000

    private mutating func test(_ node: YAMLNode, _ reader: RouteTestReader) {
        let (test, nameNode) = reader.read(node, &diagnostics)
        if let nameNode, let name = nameNode.scalar?.text, !name.isEmpty {
            if let first = testNames[name] {
                diagnostics.error(
                    at: nameNode.location, "a test called `\(displayable(name))` is already at \(first)")
                return
            }
            testNames[name] = nameNode.location
        }
        if let test { result.tests.append(test) }
    }
}
