import Events
import Foundation
import JSON
import Testing
import YAML

@testable import Rules

let environment = ruleEnvironment(files: ["watch.txt": "ann@acme.com\nBob\n"])

/// - Parameter files: what lists may be read from, by their paths.
func ruleEnvironment(files: [String: String]) -> RuleEnvironment {
    var environment = plainEnvironment
    environment.readFile = { (path, _) throws(FileReadingError) in
        guard let text = files[path] else { throw FileReadingError(message: "No such file or directory") }
        return Array(text.utf8)
    }
    return environment
}

private let plainEnvironment = RuleEnvironment(
    sources: ["london", "sydney", "lobby"], vendors: ["signinapp", "sine", "envoy", "alocity", "netgraph", "generic"],
    siteKeys: ["london", "hq"], targets: ["siem", "crm", "london-desk", "archive"],
    sourcesOfSiteID: ["12": ["london", "lobby"], "4567": ["london"]])

/// Routes of one file, which must load without a complaint.
func routes(_ text: String) throws -> RulePlan {
    var diagnostics = Diagnostics()
    let files = RuleLoader.load(
        texts: [("r.yaml", Array(text.utf8))], environment: environment, diagnostics: &diagnostics)
    #expect(diagnostics.isEmpty, "\(diagnostics)")
    return files.plan
}

/// A plan of one route with this condition.
func plan(when condition: String) throws -> RulePlan {
    try routes("routes: [{name: r, when: \(condition), to: siem}]\n")
}

/// The complaints about one file, one a line.
func complaints(_ text: String) -> String {
    var diagnostics = Diagnostics()
    let files = RuleLoader.load(
        texts: [("r.yaml", Array(text.utf8))], environment: environment, diagnostics: &diagnostics)
    if diagnostics.hasErrors { #expect(files.plan.routes.isEmpty) }
    return diagnostics.description
}

/// A list that conditions may name.
let watchList = "lists: {watch: watch.txt}\n"

/// The complaints about a condition, their places counted from its first character.
func complaints(when condition: String) -> String {
    complaints("routes: [{name: r, to: siem, when:\n\(condition)}]\n\(watchList)").replacingOccurrences("r.yaml:2:", "")
}

/// A folder with these files, removed afterwards.
func withFolder(_ files: [String: String], _ body: (String) throws -> Void) throws {
    let folder = NSTemporaryDirectory() + "gatehouse-rules-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try write(files, in: folder)
    try body(folder)
}

func write(_ files: [String: String], in folder: String) throws {
    for (name, text) in files {
        let path = "\(folder)/\(name)"
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: path))
    }
}

extension String {
    func replacingOccurrences(_ text: String, _ other: String) -> String {
        split(separator: text, omittingEmptySubsequences: false).joined(separator: other)
    }
}

/// An event of this type whose data are this JSON.
func event(_ data: String, type: String = "visitor.signin", time: String? = nil) throws -> EventView {
    let time = time.map { "\"time\":\"\($0)\"," } ?? ""
    let text = "{\"specversion\":\"1.0\",\"id\":\"00\",\"type\":\"\(type)\",\(time)\"data\":\(data)}"
    return try #require(try EventView(parsing: Array(text.utf8), with: JSONParser()))
}

/// Whether the condition takes the event: asked of a plan and, part by part, of the plain evaluator.
func takes(_ condition: String, _ data: String, type: String = "visitor.signin") throws -> Bool {
    let event = try event(data, type: type)
    return try outcome(when: condition, event) == .taken
}

/// What a plan and the plain evaluator both make of the event.
func outcome(
    when condition: String, _ event: EventView, sourceZones: [String: String] = [:]
) throws -> RouteOutcome {
    let plan = RulePlan(try plan(when: condition).routes, sourceZones: sourceZones)
    var scratch = MatchScratch()
    let isTaken = !plan.match(event, scratch: &scratch).isEmpty
    let plain = PlainEvaluator(sourceZones: sourceZones).takes(try #require(plan.routes.first), event)
    #expect(isTaken == (plain == .taken), "\(condition)")
    var isFailed = false
    if case .failed = plain { isFailed = true }
    #expect(plan.failedRoutes(scratch).isEmpty != isFailed, "\(condition)")
    return plain
}
