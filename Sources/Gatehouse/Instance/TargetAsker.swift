internal import Configuration
internal import Events
internal import HTTPClient
internal import Ingest
internal import JSON
internal import Logging
internal import Synchronization
internal import Targets

/// Asks targets what is to become of visitors. Its connections are its own: no delivery stands before a question.
final class TargetAsker: DecisionAsker {
    private static let maximumConnections = 256

    private let inquiries = Mutex<[String: TargetInquiry]>([:])
    private let client = HTTPClient(maximumConnections: maximumConnections)
    private let context: TargetContext
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
        context = TargetContext(client: client, hostname: Machine.name, logger: logger)
    }

    func adopt(_ targets: [any TargetBlueprint]) {
        let known = Dictionary(
            targets.compactMap { target in TargetInquiry(target).map { (target.settings.name, $0) } },
            uniquingKeysWith: { first, _ in first })
        inquiries.withLock { $0 = known }
    }

    func shutdown() { client.shutdown() }

    func ask(
        _ target: String, about event: EncodedEvent, within time: Duration,
        completion: @escaping @Sendable (Result<[UInt8], AskFailure>) -> Void
    ) {
        guard let inquiry = inquiries.withLock({ $0[target] }) else {
            return completion(.failure(AskFailure("target_unknown", "there is no such target to ask")))
        }
        guard let view = try? EventView(parsing: event.payload, with: JSONParser()) else {
            return completion(.failure(AskFailure("rendering", "the event cannot be read")))
        }
        inquiry.ask(about: view, within: time, context) { [logger] result in
            completion(
                result.mapError { failure in
                    logger.warning(
                        "ask_failed",
                        "The target \(target) was asked about a visitor and gave no answer: \(failure.message)",
                        ["target": .init(target), "code": .init(failure.code)])
                    return AskFailure(failure.code, failure.message)
                })
        }
    }
}
