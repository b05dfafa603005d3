import Testing
import YAML

@testable import Rules

/// What is read of files of one owner, which may have complaints.
func read(_ texts: [String], team: Team? = nil, environment: RuleEnvironment = environment) -> RuleFiles {
    let files = texts.enumerated().map { (file: "\("abcdefgh"[$0.offset]).yaml", bytes: Array($0.element.utf8)) }
    return RuleLoader.read(files, team: team, environment: environment)
}

/// The complaints about one file, each with its source line and a caret.
func rendered(_ text: String, team: Team? = nil) -> String {
    let files = RuleLoader.read([("r.yaml", Array(text.utf8))], team: team, environment: environment)
    return files.diagnostics.rendered { _ in Array(text.utf8) }
}

/// A team that may see one site's events, and reach two targets.
func team(_ name: String = "london", scope: String = "{site: {key: london}}") throws -> Team {
    var diagnostics = Diagnostics()
    let node = try #require(try parseYAML(Array(scope.utf8), file: "gatehouse.yaml"))
    let team = Team(
        name: name, paths: ["routes/\(name)/"], targets: ["siem", "london-desk"], scope: node,
        location: SourceLocation(file: "gatehouse.yaml"), environment: environment, &diagnostics)
    return try #require(team, "\(diagnostics)")
}

/// The condition of a file's only route, in words.
func phrase(_ condition: String) -> String {
    let files = read(["routes: [{name: r, to: siem, when: \(condition)}]\n"])
    return files.diagnostics.hasErrors
        ? files.diagnostics.description : files.routes.first?.wholeCondition.phrase ?? "nothing"
}

extension String {
    subscript(_ position: Int) -> Character { self[index(startIndex, offsetBy: position)] }
}
