internal import Configuration
internal import Glibc
internal import Ingest
internal import JSON
internal import Rehearsal
internal import Rules
internal import YAML

struct TestCommand: Command {
    let name = "test"
    let summary = "runs the tests in the files of routes and decisions"
    let synopsis = "[-c FILE] [--junit FILE] [--coverage] [--json]"
    let options: [Option] = [
        .configuration, .value("junit", "FILE", "write the results there too, as JUnit XML"),
        .flag("coverage", "name the routes, decisions and conditions that no test exercises"), .json,
    ]
    let example = "gatehouse test -c deploy/gatehouse.yaml --coverage"

    func run(_ arguments: Arguments) throws -> Int32 {
        try arguments.requireOperands(0, "")
        let configuration = try arguments.loadRules()
        let rules = configuration.rules
        var run = RouteTestRun(
            plan: rules.plan, decisions: rules.decisions,
            events: EventBuilder(sources: configuration.sources, sites: configuration.intake.sites),
            sourceZones: configuration.ruleEnvironment.sourceZones)
        let report = TestReport(isJSON: arguments.has("json"))
        var results: [RouteTestResult] = []
        for test in rules.tests {
            let result = run.run(test)
            report.show(result)
            results.append(result)
        }
        if arguments.has("coverage") { report.show(run.coverage) }
        report.summary(results)
        if let file = arguments.value("junit") { try write(JUnitReport.text(results), to: file) }
        return results.allSatisfy(\.holds) ? ExitCode.success : ExitCode.failed
    }

    private func write(_ text: String, to path: String) throws(CommandFailure) {
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else {
            throw CommandFailure("cannot write \(Terminal.harmless(path)): \(unsafe String(cString: strerror(errno)))")
        }
        defer { close(file) }
        Terminal.write(Array(text.utf8), to: file)
    }
}

/// Shows what came of tests: to people what is wrong, to machines everything.
private struct TestReport {
    let isJSON: Bool

    func show(_ result: RouteTestResult) {
        if isJSON { return json(result) }
        guard !result.holds else { return }
        let name = Terminal.harmless(result.test.name)
        Terminal.print("\(result.test.location): \(Terminal.paint("failed", .red)): \(name)")
        for line in result.explanation { Terminal.print("    " + Terminal.harmless(line)) }
    }

    func show(_ coverage: TestCoverage) {
        let (routes, conditions) = (coverage.unusedRoutes, coverage.unusedConditions)
        guard !isJSON else {
            var writer = JSONWriter()
            writer.beginObject()
            writer.key("uncovered_routes")
            writer.array(routes)
            writer.key("uncovered_decisions")
            writer.array(coverage.unusedDecisions)
            writer.key("uncovered_conditions")
            writer.array(conditions)
            writer.endObject()
            return Terminal.print(bytes: writer.bytes)
        }
        for route in routes {
            Terminal.print("\(route.location): no test's event is taken by the route \(Terminal.harmless(route.name))")
        }
        for decision in coverage.unusedDecisions {
            Terminal.print(
                "\(decision.location): no test's visitor is taken by the decision \(Terminal.harmless(decision.name))")
        }
        for condition in conditions {
            Terminal.print(
                "\(condition.location): of no test's event the condition \(Terminal.harmless(condition.name)) holds")
        }
        Terminal.print(
            "covered: \(coverage.routeCount - routes.count) of \(coverage.routeCount) routes, "
                + (coverage.decisionCount == 0
                    ? ""
                    : "\(coverage.decisionCount - coverage.unusedDecisions.count) of \(coverage.decisionCount) decisions, ")
                + "\(coverage.conditionCount - conditions.count) of \(coverage.conditionCount) named conditions")
    }

    func summary(_ results: [RouteTestResult]) {
        let failed = results.count { !$0.holds }
        if isJSON {
            var writer = JSONWriter()
            writer.beginObject()
            writer.key("tests")
            writer.integer(Int64(results.count))
            writer.key("failed")
            writer.integer(Int64(failed))
            writer.endObject()
            return Terminal.print(bytes: writer.bytes)
        }
        guard !results.isEmpty else { return Terminal.print("there are no tests: no file of routes has `tests:`") }
        let count = "\(results.count) test\(results.count == 1 ? "" : "s")"
        Terminal.print(
            failed == 0
                ? Terminal.paint("\(count) passed", .green) : Terminal.paint("\(failed) of \(count) failed", .red))
    }

    private func json(_ result: RouteTestResult) {
        let test = result.test
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("name")
        writer.string(test.name)
        writer.key("team")
        if let team = test.team { writer.string(team) } else { writer.null() }
        writer.location(test.location)
        writer.key("passed")
        writer.bool(result.holds)
        writer.key("targets")
        writer.strings(result.found.map(\.target))
        writer.key("routes")
        writer.strings(result.routes)
        if let decided = result.decided {
            writer.key("decision")
            writer.string(decided.outcome.rawValue)
        }
        writer.key("differences")
        writer.strings(result.differences.map(\.text))
        writer.endObject()
        Terminal.print(bytes: writer.bytes)
    }
}

extension JSONWriter {
    fileprivate mutating func array(_ names: [RouteTestResult.RouteName]) {
        beginArray()
        for name in names {
            beginObject()
            key("name")
            string(name.name)
            location(name.location)
            endObject()
        }
        endArray()
    }
}
