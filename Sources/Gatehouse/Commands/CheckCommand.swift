internal import Configuration
internal import JSON
internal import Rules
internal import Targets
internal import YAML

struct CheckCommand: Command {
    let name = "check"
    let summary = "reads the configuration and all routes, and reports every error"
    let synopsis = "[-c FILE] [--strict] [--json]"
    let options: [Option] = [.configuration, .flag("strict", "exit 1 when there are warnings"), .json]
    let example = "gatehouse check -c deploy/gatehouse.yaml --strict"

    func run(_ arguments: Arguments) throws -> Int32 {
        try arguments.requireOperands(0, "")
        var (configuration, diagnostics) = ConfigurationLoader(purpose: .checking).load(arguments.configurationFile)
        if let configuration, let seen = SeenKeysFile.read(in: configuration.dataFolder) {
            KeyHints.check(configuration.rules.routes, seen, &diagnostics)
        }
        for target in configuration?.targets ?? [] { target.warnOfUnreadableFiles(&diagnostics) }
        if let configuration, !diagnostics.hasErrors {
            RuleSetChecks(configuration.routes, decisions: configuration.rules.decisions).check(
                targets: configuration.targetLocations, &diagnostics)
        }
        if arguments.has("json") {
            for diagnostic in diagnostics.sorted { Terminal.print(bytes: Self.json(diagnostic)) }
        } else {
            report(diagnostics, configuration)
        }
        if diagnostics.hasErrors || configuration == nil { return ExitCode.configuration }
        return arguments.has("strict") && !diagnostics.isEmpty ? ExitCode.failed : ExitCode.success
    }

    private func report(_ diagnostics: Diagnostics, _ configuration: Configuration?) {
        if !diagnostics.isEmpty {
            Terminal.print(diagnostics.rendered { try? readFile($0, maximumBytes: maximumYAMLBytes) })
        }
        for team in configuration?.rules.teams ?? [] where team.state != .current {
            Terminal.complain("team \(team.name): \(team.consequence)")
        }
        if let configuration, !diagnostics.hasErrors {
            Terminal.print(
                "\(configuration.file): ok: \(configuration.sources.count) sources, "
                    + "\(configuration.targets.count) targets, \(configuration.routes.routes.count) routes"
                    + (configuration.rules.decisions.map { ", \($0.decisions.count) decisions" } ?? ""))
            let reticent = configuration.sourcesWithoutOriginal
            if !reticent.isEmpty {
                Terminal.print(
                    "hint: under a field policy nothing of the sender's own payload (`original`) is kept: "
                        + reticent.joined(separator: ", "))
            }
        } else {
            let count = diagnostics.all.count { $0.severity == .error } + diagnostics.suppressed
            Terminal.complain("\(count) error\(count == 1 ? "" : "s")")
        }
    }

    private static func json(_ diagnostic: Diagnostic) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("severity")
        writer.string(diagnostic.severity == .error ? "error" : "warning")
        writer.location(diagnostic.location)
        writer.key("message")
        writer.string(diagnostic.message)
        if let suggestion = diagnostic.suggestion {
            writer.key("suggestion")
            writer.string(suggestion)
        }
        writer.endObject()
        return writer.bytes
    }
}
