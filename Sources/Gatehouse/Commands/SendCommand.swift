internal import Configuration
internal import Cryptography
internal import Events
internal import HTTPClient
internal import HTTPTypes
internal import Ingest
internal import JSON
internal import Signatures
internal import Simulator
internal import Vendors
internal import YAML

struct SendCommand: Command {
    let name = "send"
    let summary = "sends events as a vendor's own system would: signed, batched, tried again"
    let synopsis = "--source S --event E [OPTIONS] URL"
    let options: [Option] = [
        .configuration,
        .value("source", "NAME", "the source to send as: its vendor and secrets come from the configuration"),
        .value("vendor", "NAME", "without a configuration: the sender's dialect"),
        .value("secret", "SECRET", "without a configuration: the key to sign with, or the API key", isRepeatable: true),
        .value("header", "NAME=VALUE", "without a configuration: a fixed header", isRepeatable: true),
        .value("event", "NAME", "the sender's own name of the event, or the canonical type"),
        .value("count", "N", "how many events (default 1)"),
        .value("rate", "R", "how many a second, such as 100/s (default as fast as they are taken)"),
        .value("batch", "N", "events a request, for senders that batch (default 20000)"),
        .value("connections", "N", "requests at once (default 1)"),
        .value("set", "/pointer=VALUE", "a value in every payload: JSON, or else a text", isRepeatable: true),
        .value("seed", "N", "the same seed sends the same events again (default random)"),
        .value("hurry", "FACTOR", "divide the waits between tries by this (default 1)"),
        .json,
    ]
    let example = """
        gatehouse send --source london --event visitor.signin --set '/visitor/name="Ada Lovelace"' http://127.0.0.1:8080
        gatehouse send --source guests --event signin.session.created --count 20000 http://127.0.0.1:8080/in/guests
        """

    func run(_ arguments: Arguments) throws -> Int32 {
        try arguments.requireOperands(1, "the URL")
        let plan = try SendPlan(arguments)
        let client = HTTPClient()
        defer { client.shutdown() }
        let progress = Progress(of: plan.count, "events")
        let run = SenderRun(
            sender: plan.sender, client: client, url: plan.url, hurry: plan.hurry)
        let results = try run.sendAll(
            count: plan.count, batch: plan.batch, perSecond: plan.perSecond, connections: plan.connections
        ) { result in
            if arguments.has("json") {
                Terminal.print(bytes: Self.json(result))
            } else {
                progress.add(result.events.count)
            }
        }
        progress.finish()
        let taken = results.filter(\.wasTaken).reduce(0) { $0 + $1.events.count }
        if !arguments.has("json") { report(results, taken: taken, of: plan.count) }
        return taken == plan.count ? ExitCode.success : ExitCode.failed
    }

    private func report(_ results: [SenderRun.Result], taken: Int, of count: Int) {
        let tries = results.reduce(0) { $0 + $1.tries }
        Terminal.print("\(taken) of \(count) events taken, \(results.count) requests, \(tries) tries")
        if let failure = results.first(where: { !$0.wasTaken }) {
            let status = failure.status.map { "answered \($0): " } ?? ""
            Terminal.complain("the first that was not taken: \(status)\(Terminal.harmless(failure.detail.prefix(500)))")
        } else if results.count == 1, let status = results[0].status {
            Terminal.print("answer: \(status) \(Terminal.harmless(results[0].detail.prefix(500)))")
        }
    }

    private static func json(_ result: SenderRun.Result) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("first")
        writer.integer(Int64(result.events.lowerBound))
        writer.key("count")
        writer.integer(Int64(result.events.count))
        writer.key("tries")
        writer.integer(Int64(result.tries))
        writer.key("status")
        if let status = result.status { writer.integer(Int64(status)) } else { writer.null() }
        writer.key("taken")
        writer.bool(result.wasTaken)
        writer.endObject()
        return writer.bytes
    }
}

/// The command's arguments, made sense of.
private struct SendPlan {
    let sender: SimulatedSender
    let url: String
    let count: Int
    let batch: Int
    let connections: Int
    let perSecond: Double?
    let hurry: Double

    init(_ arguments: Arguments) throws {
        count = try arguments.integer("count", in: 1...1_000_000_000) ?? 1
        connections = try arguments.integer("connections", in: 1...256) ?? 1
        perSecond = try arguments.value("rate").map(Self.rate)
        hurry = try Double(arguments.integer("hurry", in: 1...1_000_000) ?? 1)
        let (vendor, credentials, source) = try Self.credentials(arguments)
        batch = try vendor.traits.batches ? arguments.integer("batch", in: 1...100_000) ?? 20_000 : 1
        let seed = try arguments.integer("seed", in: 0...Int.max).map { UInt64($0) }
        let random = randomBytes(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        do {
            sender = try SimulatedSender(
                vendor: vendor, event: Self.event(arguments, vendor), scheme: credentials.scheme,
                secrets: credentials.secrets,
                headers: credentials.headers.compactMap { header in
                    header.values.first.map { HeaderField(header.name, $0.value) }
                },
                changes: arguments.all("set").map(Self.change), seed: seed ?? random)
        } catch let error as SignatureError {
            throw CommandFailure("secret \(error.description)")
        }
        url = Self.url(arguments.operands[0], source: source)
    }

    /// A URL without a path means the source's own.
    private static func url(_ text: String, source: String) -> String {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        // `http:`, an empty part, the authority, and what is left of a path.
        guard parts.count >= 3, parts[1].isEmpty, parts.dropFirst(3).allSatisfy(\.isEmpty) else { return text }
        return parts.prefix(3).joined(separator: "/") + "/in/\(source)"
    }

    private static func credentials(
        _ arguments: Arguments
    ) throws -> (vendor: any Vendor, credentials: SourceCredentials, source: String) {
        if let name = arguments.value("vendor") {
            guard let vendor = Vendors.named(name) else { throw UsageError("there is no vendor \(name)") }
            var credentials = SourceCredentials()
            let secrets = arguments.all("secret").map { NamedSecret(name: "--secret", value: $0) }
            if case .apiKey(let header) = vendor.traits.authentication {
                if !secrets.isEmpty { credentials.headers.append((header, secrets)) }
            } else {
                credentials.secrets = secrets
            }
            for header in arguments.all("header") {
                let parts = header.split(separator: "=", maxSplits: 1).map(String.init)
                guard parts.count == 2 else { throw UsageError("--header takes NAME=VALUE") }
                credentials.headers.append((parts[0], [NamedSecret(name: "--header", value: parts[1])]))
            }
            return (vendor, credentials, arguments.value("source") ?? name)
        }
        guard let source = arguments.value("source") else { throw UsageError("say what to send as with --source") }
        let configuration = try arguments.loadConfiguration(.running)
        guard let found = configuration.sources.first(where: { $0.name == source }),
            let credentials = configuration.credentials[source]
        else {
            let near = didYouMean(source, among: configuration.sources.map(\.name))
            throw CommandFailure("no enabled source is named \(Terminal.harmless(source))\(near)")
        }
        return (found.vendor, credentials, source)
    }

    private static func event(_ arguments: Arguments, _ vendor: any Vendor) throws -> VendorEvent {
        let known = vendor.events.map(\.name)
        guard let name = arguments.value("event") else {
            throw UsageError("say what to send with --event: \(known.joined(separator: ", "))")
        }
        if let event = vendor.events.first(where: { $0.name == name })
            ?? vendor.events.first(where: { $0.type.rawValue == name })
        {
            return event
        }
        let near = didYouMean(name, among: known)
        throw UsageError("\(vendor.name) sends no \(name)\(near); known are \(known.joined(separator: ", "))")
    }

    private static func rate(_ text: String) throws -> Double {
        let number = text.hasSuffix("/s") ? text.dropLast(2) : text[...]
        guard let rate = Double(number), rate > 0, rate <= 1_000_000 else {
            throw UsageError("--rate takes a number a second, such as 100/s")
        }
        return rate
    }

    private static func change(_ text: String) throws -> (pointer: JSONPointer, json: [UInt8]) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let pointer = try? JSONPointer(parts[0]) else {
            throw UsageError("--set takes a JSON pointer and a value, such as /visitor/name=Ada")
        }
        let value = Array(parts[1].utf8)
        if (try? JSONParser().parse(value)) != nil { return (pointer, value) }
        var writer = JSONWriter()
        writer.string(parts[1])
        return (pointer, writer.bytes)
    }
}
