internal import Configuration
internal import Events
internal import JSON
internal import Rehearsal

struct BenchCommand: Command {
    let name = "bench"
    let summary = "measures how long matching or writing events takes, or what the intake takes on this machine"
    let synopsis = "rules|intake|formats [-c FILE] [--events FILE] [--source NAME] [--seconds N] [--count N] [--json]"
    let options: [Option] = [
        .configuration,
        .value("events", "FILE", "canonical events, one a line; - for standard input"),
        .value("source", "NAME", "the lines are payloads of this source, or of the sender of this name"),
        .value("seconds", "N", "how long each mean is measured (default 3)"),
        .value("count", "N", "events sent to the intake (default 20000)"), .json,
    ]
    let example = "gatehouse bench rules -c gatehouse.yaml --events events.ndjson --seconds 5"

    func run(_ arguments: Arguments) throws -> Int32 {
        try arguments.requireOperands(1, "what to measure: rules, intake or formats")
        switch arguments.operands[0] {
        case "rules": return try benchRules(arguments)
        case "intake": return try benchIntake(arguments)
        case "formats": return try benchFormats(arguments)
        default: throw UsageError("what can be measured is `rules`, `intake` and `formats`")
        }
    }

    // MARK: rules

    private static let mostEvents = 1_000_000

    private func benchRules(_ arguments: Arguments) throws -> Int32 {
        guard let file = arguments.value("events") else { throw UsageError("name the events with --events") }
        let seconds = try arguments.integer("seconds", in: 1...3600) ?? 3
        let rules = try BenchedRules(arguments.configurationFile, arguments)
        let payloads = try payloads(file, rules, source: arguments.value("source"))
        guard !payloads.isEmpty else { throw CommandFailure("\(Terminal.harmless(file)) holds no event") }
        let result = try RuleBenchmark(payloads: payloads).run(
            rules.routes, sourceZones: rules.sourceZones, seconds: seconds)
        BenchFigure.report(
            [
                "routes": .count(result.routes), "build_s": .number(result.build, digits: 3),
                "plan_bytes": .count(result.planBytes), "mean_us": .number(result.mean, digits: 2),
                "p50_us": .number(result.median, digits: 2), "p99_us": .number(result.ninetyNinth, digits: 2),
                "mean_us_with_parse": .number(result.meanWithParsing, digits: 2),
                "matches_in_first_pass": .count(result.matches), "checksum": .text(Self.hexadecimal(result.checksum)),
            ], asJSON: arguments.has("json"))
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

    private static func hexadecimal(_ value: UInt64) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: 16 - text.utf8.count) + text
    }

    // MARK: formats

    private func benchFormats(_ arguments: Arguments) throws -> Int32 {
        let payloads = try arguments.value("events").map { try lines(of: $0) } ?? FormatBenchmark.samples
        guard !payloads.isEmpty else { throw CommandFailure("there is no event") }
        let seconds = try arguments.integer("seconds", in: 1...3600) ?? 3
        let results = try FormatBenchmark(payloads).run(seconds: seconds)
        guard arguments.has("json") else {
            let rows = results.map { ["\($0.format)", "\(Int($0.perSecond)) events/s", "\($0.bytes) bytes"] }
            for line in Terminal.table(rows) { Terminal.print(line) }
            return ExitCode.success
        }
        for result in results {
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("format", result.format)
            writer.key("per_second")
            writer.double(result.perSecond)
            writer.key("mean_us")
            writer.double(result.mean)
            writer.member("bytes", Int64(result.bytes))
            writer.endObject()
            Terminal.print(bytes: writer.bytes)
        }
        return ExitCode.success
    }

    private func lines(of file: String) throws -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var reader = try LineReader(file)
        while let line = try reader.next() {
            guard line.contains(where: { $0 != 0x20 && $0 != 0x0D && $0 != 0x09 }) else { continue }
            lines.append(line)
            guard lines.count <= Self.mostEvents else { throw CommandFailure("more than \(Self.mostEvents) events") }
        }
        return lines
    }

    // MARK: intake

    /// Events under way at once, as many as a busy sender's connections.
    private static let underWay = 64

    private func benchIntake(_ arguments: Arguments) throws -> Int32 {
        let count = try arguments.integer("count", in: 1...200_000) ?? 20_000
        // In the configuration's data folder, so that it is that disk that is measured.
        let place = arguments.value("config") == nil ? "." : try arguments.loadConfiguration(.checking).dataFolder
        let folder = try TemporaryFolder(place + "/gatehouse-bench-")
        defer { folder.remove() }
        let progress = Progress(of: 2 * count, "requests answered")
        defer { progress.finish() }
        let benchmark = IntakeBenchmark(folder: folder.path, events: count, underWay: min(count, Self.underWay))
        let result = try benchmark.run { progress.add(1) }
        BenchFigure.report(
            [
                "events": .count(count), "events_per_second": .number(result.intake.perSecond, digits: 2),
                "p50_ms": .number(result.intake.median, digits: 2),
                "p99_ms": .number(result.intake.ninetyNinth, digits: 2),
                "bare_per_second": .number(result.bare.perSecond, digits: 2),
                "ratio_to_bare": .number(result.intake.perSecond / result.bare.perSecond, digits: 2),
                "disk_sync_p50_ms": .number(result.diskMedian, digits: 2),
            ], asJSON: arguments.has("json"))
        return ExitCode.success
    }
}
