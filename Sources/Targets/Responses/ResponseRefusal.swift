import HTTPClient
import JSON
import YAML

/// `response: {refused: …}`: what an answer of some other status than 2xx says, for services whose status alone blames
/// an event for what is wrong with the receiver.
struct ResponseRefusal: Sendable {
    /// Those that are read.
    var statuses: Set<Int>
    /// What makes it the receiver's fault.
    var retry: AnswerCondition

    /// The outcome with the blame where it belongs. An answer that cannot be read means what its status means.
    func reading(_ response: HTTPClientResponse, _ outcome: DeliveryOutcome) -> DeliveryOutcome {
        guard case .failed(var failure) = outcome, statuses.contains(response.status), !response.isTruncated,
            let tape = Self.tape(response.body), retry.holds(tape, tape.root)
        else { return outcome }
        failure.code = "answer_retry"
        failure.message = "the receiver answered \(response.status) and says that no event is to blame"
        failure.blame = .target
        return .failed(failure)
    }

    /// The answer; one that is no JSON as a JSON string.
    private static func tape(_ body: [UInt8]) -> JSONTape? {
        if let tape = try? JSONParser(maximumDepth: 64).parse(body) { return tape }
        var writer = JSONWriter(reserving: body.count + 2)
        writer.string(String(decoding: body, as: UTF8.self))
        return try? JSONParser().parse(writer.bytes)
    }
}

extension ResponseRefusal {
    /// Nil when an error was reported.
    init?(_ node: YAMLNode, _ diagnostics: inout Diagnostics) {
        guard var reader = MappingReader(node, "refused", &diagnostics) else { return nil }
        let statuses = reader.required("statuses", &diagnostics)?.list(&diagnostics)
            .compactMap { $0.integer(in: 300...599, &diagnostics) }
        let retry = reader.required("retry", &diagnostics).flatMap { AnswerCondition($0, "retry", &diagnostics) }
        reader.finish(&diagnostics)
        guard let statuses, !statuses.isEmpty, let retry else { return nil }
        self.statuses = Set(statuses)
        self.retry = retry
    }
}
