internal import Configuration
internal import Console
internal import Delivery
internal import Events
internal import JSON
internal import Rehearsal
internal import Rules
internal import Targets

struct DiffCommand: Command {
    let name = "diff"
    let summary = "shows which events would go elsewhere under other files"
    let synopsis = "-c NEW --against OLD [--since TIME | --events FILE] [--limit N] [--json]"
    let options: [Option] = [
        .configuration, .value("against", "FILE", "the configuration to compare with: the old one"),
        .value("since", "TIME", "events of the log from then on (default 24h)"),
        .value("events", "FILE", "canonical events of a file, one a line, in place of the log; - for standard input"),
        .value("limit", "N", "show at most N events; all are counted (default 20; all with --json)"), .json,
    ]
    let example = "gatehouse diff -c new/gatehouse.yaml --against gatehouse.yaml --since 7d"

    func run(_ arguments: Arguments) throws -> Int32 {
        try arguments.requireOperands(0, "")
        guard let against = arguments.value("against") else {
            throw UsageError("say with --against which configuration to compare with")
        }
        guard !arguments.has("since") || !arguments.has("events") else {
            throw UsageError("--since is for the log; with --events every event of the file is compared")
        }
        let isJSON = arguments.has("json")
        let limit = try arguments.integer("limit", in: 0...1_000_000_000) ?? (isJSON ? Int.max : 20)
        let new = try arguments.loadRules()
        let old = try arguments.loadRules(against)
        var comparison = PlanComparison(
            old: old.routes, new: new.routes, oldAdmission: Self.admission(old), newAdmission: Self.admission(new))
        let parser = JSONParser()
        try forEachEvent(arguments) { payload, place in
            guard let event = try? EventView(parsing: payload, with: parser) else {
                throw CommandFailure("\(place) is not a canonical event")
            }
            guard let difference = comparison.compare(event), comparison.changed <= limit else { return }
            if isJSON { Self.json(difference, event) } else { Self.show(difference, event) }
        }
        if isJSON { Self.json(comparison) } else { Self.show(comparison, limit) }
        return comparison.changed == 0 ? ExitCode.success : ExitCode.failed
    }

    /// What the targets themselves take: `events:`, `only_if:`, `key:` and `opt_out:`.
    private static func admission(_ configuration: Configuration) -> PlanComparison.Admission {
        var gates: [String: AdmissionGate] = [:]
        for target in configuration.targets.map(\.settings) {
            gates[target.name] = AdmissionGate(target, configuration.routes)
        }
        return { target, event in gates[target]?.refusal(of: event) == nil }
    }

    /// - Parameter body: gets each event and where it is from.
    private func forEachEvent(_ arguments: Arguments, _ body: ([UInt8], _ place: String) throws -> Void) throws {
        if let file = arguments.value("events") {
            var lines = try LineReader(file)
            while let line = try lines.next() {
                guard line.contains(where: { $0 != 0x20 && $0 != 0x0D && $0 != 0x09 }) else { continue }
                try body(line, "line \(lines.line) of \(Terminal.harmless(file))")
            }
            return
        }
        var query = ListQuery(.events)
        let day = Timestamp.now().milliseconds - 86_400_000
        query.includesSystem = true
        query.since = try arguments.moment("since")?.milliseconds ?? day
        try Records.open(arguments).forEach(query) { try body($0, "an event of the log") }
    }

    // MARK: for people

    private static func show(_ difference: PlanComparison.Difference, _ event: EventView) {
        let about = [event.text(.source), event.text(.siteID).map { "site \($0)" }].compactMap(\.self)
        let words =
            difference.gained.map { "\(Terminal.paint("to", .green)) \($0.target) by \(names($0.routes))" }
            + difference.lost.map {
                "\(Terminal.paint("no longer to", .red)) \($0.target), where \(names($0.routes)) took it"
            }
        let time = event.time?.text ?? "-"
        let id = event.attribute("id") ?? "-"
        Terminal.print(
            "\(time) \(harmless(event.type)) of \(harmless(about.joined(separator: ", "))) (\(harmless(id))) would go "
                + words.joined(separator: "; and "))
    }

    private static func show(_ comparison: PlanComparison, _ limit: Int) {
        let events = "\(comparison.events) event\(comparison.events == 1 ? "" : "s")"
        guard comparison.changed > 0 else {
            return Terminal.print(
                comparison.events == 0 ? "there are no events to compare" : "\(events): all would go where they went")
        }
        if comparison.changed > limit {
            Terminal.print("and \(comparison.changed - limit) more; --limit shows them")
        }
        Terminal.print(Terminal.paint("\(comparison.changed) of \(events) would go elsewhere", .bold))
        var rows = [["TARGET", "GAINS", "LOSES"]]
        rows += counts(comparison.targets)
        for line in Terminal.table(rows) { Terminal.print(line) }
        rows = [["ROUTE", "TAKES", "TOOK"]]
        rows += counts(comparison.routes)
        for line in Terminal.table(rows) { Terminal.print(line) }
    }

    private static func counts(_ counts: [String: PlanComparison.Count]) -> [[String]] {
        counts.sorted { $0.key < $1.key }.map { [harmless($0.key), "\($0.value.gained)", "\($0.value.lost)"] }
    }

    private static func names(_ routes: [String]) -> String {
        routes.map { harmless($0) }.joined(separator: ", ")
    }

    private static func harmless(_ text: String) -> String { Terminal.harmless(text) }

    // MARK: for machines

    private static func json(_ difference: PlanComparison.Difference, _ event: EventView) {
        var writer = JSONWriter()
        writer.beginObject()
        for (name, text) in [
            ("event", event.attribute("id")), ("type", event.attribute("type")), ("time", event.attribute("time")),
            ("source", event.text(.source)),
        ] {
            writer.key(name)
            if let text { writer.string(text) } else { writer.null() }
        }
        for (name, changes) in [("gained", difference.gained), ("lost", difference.lost)] {
            writer.key(name)
            writer.beginArray()
            for change in changes {
                writer.beginObject()
                writer.key("target")
                writer.string(change.target)
                writer.key("routes")
                writer.strings(change.routes)
                writer.endObject()
            }
            writer.endArray()
        }
        writer.endObject()
        Terminal.print(bytes: writer.bytes)
    }

    private static func json(_ comparison: PlanComparison) {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("events")
        writer.integer(Int64(comparison.events))
        writer.key("changed")
        writer.integer(Int64(comparison.changed))
        for (name, counts) in [("targets", comparison.targets), ("routes", comparison.routes)] {
            writer.key(name)
            writer.beginObject()
            for (key, count) in counts.sorted(by: { $0.key < $1.key }) {
                writer.key(key)
                writer.beginObject()
                writer.key("gained")
                writer.integer(Int64(count.gained))
                writer.key("lost")
                writer.integer(Int64(count.lost))
                writer.endObject()
            }
            writer.endObject()
        }
        writer.endObject()
        Terminal.print(bytes: writer.bytes)
    }
}
