internal import Events
internal import Ingest
internal import JSON
internal import Targets
internal import Vendors

/// Measures one thread writing events in each format, again and again.
struct FormatBenchmark {
    private let events: [EventView]

    struct Result {
        var format: String
        /// Writing one event that is parsed, in microseconds of the thread's own time.
        var mean: Double
        /// Of a line, on average.
        var bytes: Int

        var perSecond: Double { 1e6 / mean }
    }

    /// The limit of syslog targets.
    private static let limit = 8000

    /// - Parameter payloads: canonical events.
    init(_ payloads: [[UInt8]]) throws(CommandFailure) {
        let parser = JSONParser()
        var events: [EventView] = []
        for (place, payload) in payloads.enumerated() {
            guard let event = try? EventView(parsing: payload, with: parser) else {
                throw CommandFailure("event \(place + 1) is not a canonical event")
            }
            events.append(event)
        }
        self.events = events
    }

    /// What every sender's samples become.
    static var samples: [[UInt8]] {
        Vendors.all.flatMap { vendor in
            let source = SourceConfiguration(
                name: vendor.name, vendor: vendor, authentication: SourceAuthentication(),
                maximumBody: vendor.traits.maximumBody, settings: DecodeSettings(source: vendor.name))
            let normaliser = Normaliser(source: source, sites: SiteDirectory())
            return vendor.events.flatMap { (try? normaliser.normalise(Array($0.sample.utf8))) ?? [] }
        }
    }

    /// - Parameter seconds: for each format.
    func run(seconds: Int) -> [Result] {
        Formats.all.map { format in
            let policy = ContentPolicy(includesOriginal: format.isSendersOwn, includesBiometrics: false)
            let options = RenderingOptions(
                policy: policy, hostname: "gate.example", limit: format.isSendersOwn ? nil : Self.limit)
            let outgoing = events.map { OutgoingEvent(event: $0, routes: ["everything", "siem"]) }
            let bytes = outgoing.reduce(0) { $0 + ((try? format.render($1, options).count) ?? 0) }
            let mean = RuleBenchmark.mean(seconds, outgoing.count) { index in
                _ = try? format.render(outgoing[index], options)
            }
            return Result(format: format.name, mean: mean, bytes: bytes / max(outgoing.count, 1))
        }
    }
}
