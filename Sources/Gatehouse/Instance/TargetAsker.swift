internal import Configuration
internal import Events
internal import HTTPClient
internal import Ingest
internal import JSON
internal import Logging
internal import Synchronization
internal import Targets

/// Asks targets what is to become of visitors. Each has connections of its own: no delivery stands before a question, nor
/// one that another system leaves without an answer.
final class TargetAsker: DecisionAsker {
    private struct Asked {
        var inquiry: TargetInquiry
        /// Made when it is first asked.
        var context: TargetContext?
    }

    private static let maximumConnections = 128

    private let asked = Mutex<[String: Asked]>([:])
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    func adopt(_ targets: [any TargetBlueprint]) {
        let known = Dictionary(
            targets.compactMap { target in TargetInquiry(target).map { (target.settings.name, $0) } },
            uniquingKeysWith: { first, _ in first })
        let gone = asked.withLock { asked in
            let before = asked
            asked = [:]
            for (name, inquiry) in known { asked[name] = Asked(inquiry: inquiry, context: before[name]?.context) }
            return before.filter { known[$0.key] == nil }.compactMap(\.value.context)
        }
        for context in gone { context.client.shutdown() }
    }

    func shutdown() {
        let all = asked.withLock { asked in
            defer { asked = [:] }
            return asked.values.compactMap(\.context)
        }
        for context in all { context.client.shutdown() }
    }

    /// How a target is asked, and over which connections; nil when there is none of that name.
    private func way(to target: String) -> (TargetInquiry, TargetContext)? {
        asked.withLock { asked in
            guard let known = asked[target] else { return nil }
            if let context = known.context { return (known.inquiry, context) }
            let context = TargetContext(
                client: HTTPClient(maximumConnections: Self.maximumConnections), hostname: Machine.name, logger: logger)
            asked[target]?.context = context
            return (known.inquiry, context)
        }
    }

    func ask(
        _ target: String, about event: EncodedEvent, within time: Duration,
        completion: @escaping @Sendable (Result<[UInt8], AskFailure>) -> Void
    ) {
        guard let (inquiry, context) = way(to: target) else {
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
