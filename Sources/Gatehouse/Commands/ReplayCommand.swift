internal import Configuration
internal import Console
internal import Delivery
internal import EventLog
internal import Events
internal import HTTPClient
internal import HTTPTypes
internal import JSON

struct ReplayCommand: Command {
    let name = "replay"
    let summary = "sends events to a target once more, through today's routes"
    let synopsis = "[list|show|cancel [N]] --target T --since TIME [OPTIONS]"
    let options: [Option] = [
        .configuration, .json, .value("target", "NAME", "to this target"),
        .value("since", "TIME", "events received from then on: RFC 3339, or back from now such as 24h"),
        .value("until", "TIME", "events received before then"),
        .value("route", "NAME", "only what this route takes"), .condition,
        .flag("decode-again", "read the sender's own text again with today's settings of its source"),
        .flag("dry-run", "say what would be sent, and send nothing"),
        .value("limit", "N", "with --dry-run: list so many of the events (20)"),
        .flag("detach", "do not wait for its end"),
    ]
    let example = "gatehouse replay --target crm --since 24h --where '{site: 4567}' --dry-run"

    /// How long it waits before it asks again, in milliseconds.
    private static let pause = 200

    func run(_ arguments: Arguments) throws -> Int32 {
        switch arguments.operands.first {
        case nil: return try arguments.has("dry-run") ? rehearse(arguments) : begin(arguments)
        case "list" where arguments.operands.count == 1: try list(arguments)
        case "show"?:
            let number = try number(arguments)
            guard let line = try lines(arguments).first(where: { try Self.record($0)("/replay") == "\(number)" }) else {
                throw CommandFailure("there is no replay \(number)")
            }
            if arguments.has("json") { Terminal.print(bytes: line) } else { try Self.report(Self.record(line)) }
        case "cancel"?:
            let number = try number(arguments)
            let response = try arguments.runningInstance().send("DELETE", "replay/\(number)")
            if arguments.has("json") {
                Terminal.print(bytes: response.body)
            } else {
                try Self.report(Self.record(response.body))
            }
        default: throw UsageError("say what to send again with --target and --since; or replay list, show N, cancel N")
        }
        return ExitCode.success
    }

    private func number(_ arguments: Arguments) throws -> Int64 {
        guard arguments.operands.count == 2, let number = Int64(arguments.operands[1]) else {
            throw UsageError("say which: its number stands in `replay list`")
        }
        return number
    }

    private func query(_ arguments: Arguments) throws -> ReplayQuery {
        var query = ReplayQuery()
        guard let target = arguments.value("target") else { throw UsageError("say where to with --target") }
        guard let since = try arguments.moment("since") else {
            throw UsageError("say from when on with --since, such as --since 24h")
        }
        query.target = target
        query.since = since.milliseconds
        query.until = try arguments.moment("until")?.milliseconds
        query.route = arguments.value("route")
        query.condition = arguments.value("where")
        query.decodesAgain = arguments.has("decode-again")
        return query
    }

    private static func record(_ json: [UInt8]) throws -> Record { Record(tape: try JSONParser().parse(json)) }

    // MARK: one that begins

    private func begin(_ arguments: Arguments) throws -> Int32 {
        guard !arguments.has("limit") else { throw UsageError("--limit is for --dry-run") }
        let query = try query(arguments)
        // Before any other thread is there: the signals are for this one.
        var signals = SignalWaiter()
        let client = try arguments.runningInstance()
        var json = try client.send("POST", "replay?\(query.text)").body
        let isQuiet = arguments.has("json")
        let number = try Self.record(json)("/replay")
        if !isQuiet { Terminal.print("replay \(number) to \(try Self.record(json)("/target")) has begun") }
        let progress = ReplayProgress()
        while !arguments.has("detach"), try !Self.isEnded(json) {
            if signals.wait(milliseconds: Self.pause) != .nothing {
                progress.finish()
                Terminal.complain("replay \(number) goes on; `gatehouse replay cancel \(number)` ends it")
                return ExitCode.success
            }
            json = try client.send("GET", "replay/\(number)").body
            if !isQuiet { progress.show(try Self.record(json)) }
        }
        progress.finish()
        let record = try Self.record(json)
        if isQuiet {
            Terminal.print(bytes: json)
        } else if !arguments.has("detach") {
            Self.report(record)
        }
        let isGood =
            arguments.has("detach") || ["/dead", "/expired", "/left", "/discarded"].allSatisfy { record($0) == "0" }
        return isGood ? ExitCode.success : ExitCode.failed
    }

    private static func isEnded(_ json: [UInt8]) throws -> Bool {
        ReplayState(rawValue: try record(json)("/state"))?.isEnded ?? true
    }

    private static func report(_ record: Record) {
        let counts = ["delivered", "filtered", "skipped", "pending", "dead", "discarded", "expired", "left"]
            .filter { record("/\($0)") != "0" || $0 == "delivered" }.map { "\(record("/\($0)")) \($0)" }
        let why = record("/reason") == "-" ? "" : " (\(record("/reason")))"
        Terminal.print(
            "replay \(record("/replay")) to \(record("/target")) is \(record("/state"))\(why): "
                + "\(record("/events")) events, \(counts.joined(separator: ", "))")
    }

    // MARK: those there are

    private func list(_ arguments: Arguments) throws {
        let lines = try lines(arguments)
        if arguments.has("json") { return lines.forEach { Terminal.print(bytes: $0) } }
        var rows = [["REPLAY", "TARGET", "STATE", "SINCE", "EVENTS", "DELIVERED", "PENDING", "DEAD", "BY", "REASON"]]
        for line in lines {
            let cell = try Self.record(line)
            rows.append([
                cell("/replay"), cell("/target"), cell("/state"), cell("/since"), cell("/events"), cell("/delivered"),
                cell("/pending"), cell("/dead"), cell("/by"), cell("/reason"),
            ])
        }
        for line in Terminal.table(rows) { Terminal.print(line) }
    }

    /// Of the running instance, or of what a stopped one left.
    private func lines(_ arguments: Arguments) throws -> [[UInt8]] {
        switch try arguments.findInstance() {
        case .running(let client):
            return try client.send("GET", "replay").body.split(separator: 0x0A).map(Array.init)
        case .stopped(let configuration):
            do {
                return try configuration.openArchive().replays().map(\.json)
            } catch {
                throw CommandFailure("the replays cannot be read: \(error)")
            }
        }
    }

    // MARK: a dry run

    private func rehearse(_ arguments: Arguments) throws -> Int32 {
        var query = try query(arguments)
        let limit = try arguments.integer("limit", in: 0...ReplayQuery.maximumLimit) ?? 20
        let client = try arguments.runningInstance()
        var sum = RehearsalSum()
        repeat {
            query.limit = limit - sum.list.count
            let page = try JSONParser().parse(client.send("POST", "replay/dry-run?\(query.text)").body)
            sum.add(page)
            query.cursor = page.member(page.root, "next").flatMap { page.text($0) }.flatMap { ReplayCursor($0) }
        } while query.cursor != nil
        if arguments.has("json") { Terminal.print(bytes: sum.json) } else { try sum.report(to: query.target ?? "") }
        return ExitCode.success
    }
}

/// A replay on its way, on a terminal.
private final class ReplayProgress {
    private var progress: Progress?
    private var done = 0

    func show(_ record: Record) {
        guard let events = Int(record("/events")), let pending = Int(record("/pending")) else { return }
        let progress = progress ?? Progress(of: events, "events looked at; \(record("/state"))")
        self.progress = progress
        progress.add(events - pending - done)
        done = events - pending
    }

    func finish() { progress?.finish() }
}

/// The pieces of a dry run, added up.
private struct RehearsalSum {
    private static let names = ["events", "taken", "filtered", "skipped", "retyped"]

    private var counts: [String: Int64] = [:]
    private var reasons: [String: Int64] = [:]
    private(set) var list: [[UInt8]] = []

    mutating func add(_ page: JSONTape) {
        func number(_ place: JSONIndex) -> Int64 { page.scalarText(place).flatMap { Int64($0) } ?? 0 }
        for name in Self.names {
            counts[name, default: 0] += page.member(page.root, named: name).map { number($0) } ?? 0
        }
        if let found = page.member(page.root, "reasons") {
            for (key, value) in page.members(found) { reasons[page.text(key) ?? "", default: 0] += number(value) }
        }
        if let found = page.member(page.root, "list") {
            list += page.elements(found).map { Array(page.bytes[page.span($0)]) }
        }
    }

    /// `{events, taken, filtered, skipped, retyped, reasons: {TEXT: COUNT}, list}`
    var json: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        for name in Self.names {
            writer.key(name)
            writer.integer(counts[name] ?? 0)
        }
        writer.key("reasons")
        writer.beginObject()
        for (reason, count) in reasons.sorted(by: { $0.key < $1.key }) {
            writer.key(reason)
            writer.integer(count)
        }
        writer.endObject()
        writer.key("list")
        writer.beginArray()
        for line in list { writer.raw(line) }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    func report(to target: String) throws {
        func count(_ name: String) -> Int64 { counts[name] ?? 0 }
        Terminal.print("of \(count("events")) events \(count("taken")) would be sent to \(Terminal.harmless(target))")
        if count("retyped") > 0 { Terminal.print("\(count("retyped")) of them would have another type") }
        for (reason, number) in reasons.sorted(by: { $0.key < $1.key }) {
            Terminal.print("\(number) would be left out: \(Terminal.harmless(reason))")
        }
        guard !list.isEmpty else { return }
        var rows = [["RECEIVED", "TYPE", "WAS", "SOURCE", "ROUTES", "EVENT"]]
        for line in list {
            let cell = Record(tape: try JSONParser().parse(line))
            rows.append([
                cell("/received_at"), cell("/type"), cell("/was"), cell("/source"), cell("/routes"), cell("/event"),
            ])
        }
        for line in Terminal.table(rows) { Terminal.print(line) }
    }
}
