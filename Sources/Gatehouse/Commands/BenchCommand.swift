internal import Events
internal import JSON
internal import Rehearsal

struct BenchCommand: Command {
    let name = "bench"
    let summary = "measures how long matching takes with these routes"
    let synopsis = "rules -c FILE --events FILE [--source NAME] [--seconds N] [--json]"
    let options: [Option] = [
        .configuration,
        .value("events", "FILE", "canonical events, one a line; - for standard input"),
        .value("source", "NAME", "the lines are payloads of this source, or of the sender of this name"),
        .value("seconds", "N", "how long each of the two means is measured (default 3)"), .json,
    ]
    let example = "gatehouse bench rules -c gatehouse.yaml --events events.ndjson --seconds 5"

    private static let mostEvents = 1_000_000

    func run(_ arguments: Arguments) throws -> Int32 {
        try arguments.requireOperands(1, "what to measure: rules")
        guard arguments.operands[0] == "rules" else { throw UsageError("what can be measured is `rules`") }
        guard let file = arguments.value("events") else { throw UsageError("name the events with --events") }
        let seconds = try arguments.integer("seconds", in: 1...3600) ?? 3
        let rules = try BenchedRules(arguments.configurationFile, arguments)
        let payloads = try payloads(file, rules, source: arguments.value("source"))
        guard !payloads.isEmpty else { throw CommandFailure("\(Terminal.harmless(file)) holds no event") }
        let result = try RuleBenchmark(payloads: payloads).run(
            rules.routes, sourceZones: rules.sourceZones, seconds: seconds)
        if arguments.has("json") { Self.json(result) } else { Self.show(result) }
        return ExitCode.success
    }

    private func payloads(_ file: String, _ rules: BenchedRules, source: String?) throws -> [[UInt8]] {
        var payloads: [[UInt8]] = []
        var lines = try LineReader(file)
        while let line = try lines.next() {
            guard line.contains(where: { $0 != 0x20 && $0 != 0x0D && $0 != 0x09 }) else { continue }
            guard let source else {
                payloads.append(line)
                continue
            }
            do {
                for event in try rules.events.payload(line, source: source) { payloads.append(event.payload) }
            } catch {
                throw CommandFailure("line \(lines.line) of \(Terminal.harmless(file)): \(error.message)")
            }
            guard payloads.count <= Self.mostEvents else {
                throw CommandFailure("more than \(Self.mostEvents) events")
            }
        }
        return payloads
    }

    // MARK: output

    private static func show(_ result: RuleBenchmark.Result) {
        let rows = [
            ["routes", "\(result.routes)"], ["build_s", rounded(result.build, 3)],
            ["plan_bytes", "\(result.planBytes)"],
            ["mean_us", rounded(result.mean, 2)], ["p50_us", rounded(result.median, 2)],
            ["p99_us", rounded(result.ninetyNinth, 2)], ["mean_us_with_parse", rounded(result.meanWithParsing, 2)],
            ["matches_in_first_pass", "\(result.matches)"], ["checksum", hexadecimal(result.checksum)],
        ]
        for line in Terminal.table(rows) { Terminal.print(line) }
    }

    private static func json(_ result: RuleBenchmark.Result) {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("routes")
        writer.integer(Int64(result.routes))
        writer.key("build_s")
        writer.double(result.build)
        writer.key("plan_bytes")
        writer.integer(Int64(result.planBytes))
        writer.key("mean_us")
        writer.double(result.mean)
        writer.key("p50_us")
        writer.double(result.median)
        writer.key("p99_us")
        writer.double(result.ninetyNinth)
        writer.key("mean_us_with_parse")
        writer.double(result.meanWithParsing)
        writer.key("matches_in_first_pass")
        writer.integer(Int64(result.matches))
        writer.key("checksum")
        writer.string(hexadecimal(result.checksum))
        writer.endObject()
        Terminal.print(bytes: writer.bytes)
    }

    private static func rounded(_ value: Double, _ digits: Int) -> String {
        let scale = digits == 3 ? 1000 : 100
        let number = Int((value * Double(scale)).rounded())
        let rest = "\(number % scale)"
        return "\(number / scale)." + String(repeating: "0", count: digits - rest.utf8.count) + rest
    }

    private static func hexadecimal(_ value: UInt64) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: 16 - text.utf8.count) + text
    }
}
