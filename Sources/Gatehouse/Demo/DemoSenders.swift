internal import Configuration
internal import Events
internal import Glibc
internal import HTTPClient
internal import HTTPTypes
internal import Ingest
internal import Signatures
internal import Simulator
internal import Vendors

/// The simulated senders of all configured sources.
final class DemoSenders {
    private let configuration: Configuration
    private let intake: String
    private let screen: DemoScreen
    private let client = HTTPClient()
    private var sequence = 0
    /// Events that were sent for the first time and taken.
    private(set) var taken = 0

    init(_ configuration: Configuration, intake: String, _ screen: DemoScreen) throws {
        self.configuration = configuration
        self.intake = intake
        self.screen = screen
    }

    func stop() { client.shutdown() }

    /// Every event of every vendor once; a batch where the vendor batches.
    /// - Parameter goesOn: asked before each.
    func sendEverything(pauseMilliseconds: Int, while goesOn: () -> Bool) throws {
        for source in configuration.sources {
            for event in source.vendor.events {
                guard goesOn() else { return }
                try send(source, event)
                usleep(UInt32(pauseMilliseconds) * 1000)
            }
        }
    }

    /// One event of one vendor, another one each time.
    func sendOne() throws {
        let all = configuration.sources.flatMap { source in source.vendor.events.map { (source, $0) } }
        let (source, event) = all[sequence % all.count]
        try send(source, event)
    }

    private func send(_ source: SourceConfiguration, _ event: VendorEvent) throws {
        let count = source.vendor.traits.batches ? 2 : 1
        let events = sequence..<sequence + count
        sequence += count
        let run = SenderRun(
            sender: try sender(source, event), client: client, url: "\(intake)/in/\(source.name)", hurry: 100)
        let result = try run.send(events, at: .now())
        if result.wasTaken { taken += count }
        screen.sent(
            "\(source.vendor.name)", event.name, count: count, status: result.status, detail: result.detail)
    }

    private func sender(_ source: SourceConfiguration, _ event: VendorEvent) throws -> SimulatedSender {
        let credentials = configuration.credentials[source.name] ?? SourceCredentials()
        return try SimulatedSender(
            vendor: source.vendor, event: event, scheme: credentials.scheme, secrets: credentials.secrets,
            headers: credentials.headers.compactMap { header in
                header.values.first.map { HeaderField(header.name, $0.value) }
            }, seed: UInt64(getpid()))
    }

    /// Somebody without the secret tries to bring an event in.
    func sendForgery() throws {
        guard let source = configuration.sources.first, let event = source.vendor.events.first else { return }
        screen.heading("Somebody who does not know the secret tries the same")
        var request = HTTPClientRequest(method: "POST", url: "\(intake)/in/\(source.name)")
        request.body = Array(event.sample.utf8)
        let forged = try SimulatedSender(
            vendor: source.vendor, event: event,
            secrets: [NamedSecret(name: "guess", value: "not the secret, only a guess")], seed: 1)
        let delivery = try forged.delivery(0..<1, at: .now())
        request.headers = forged.headers(for: delivery, url: request.url, at: .now())
        request.body = delivery.body
        if case .success(let answer) = client.sendAndWait(request) {
            screen.sent(
                source.vendor.name, event.name, count: 1, status: answer.status,
                detail: String(decoding: answer.body, as: UTF8.self))
        }
    }
}
