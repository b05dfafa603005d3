import Foundation
package import HTTPTypes

/// A service as its makers document it: what a request to it looks like, and what it answers.
package protocol DocumentedService: Sendable {
    /// The name of its preset.
    var preset: String { get }
    /// What a user writes besides `type` and `preset`, in YAML's flow form. A record is told by the event's id.
    func keys(origin: String) -> String
    /// The records in a request, by their events' ids.
    /// - Throws: what is not as the service documents it.
    func read(_ request: ServiceRequest) throws(Undocumented) -> [String]
    /// The answer for records that it looked at one by one, or all of them taken.
    func answer(_ results: [(record: String, result: ServiceResult)]) -> HTTPResponse
    /// How it refuses.
    var refusal: ServiceRefusal { get }
    /// Answers to a whole request, none of whose records it takes.
    var failures: [DocumentedFailure] { get }
    /// Further answers to a whole request, all of whose records it took.
    var successes: [HTTPResponse] { get }
    /// Where its access tokens come from; nil: it uses none.
    var tokens: DocumentedTokens? { get }
}

extension DocumentedService {
    package var tokens: DocumentedTokens? { nil }
    package var successes: [HTTPResponse] { [] }
    package func failure(_ name: String) -> DocumentedFailure? { failures.first { $0.name == name } }
}

/// What becomes of a record.
package enum ServiceResult: Sendable {
    case taken
    /// It had it already.
    case known
    case busy
    case refused
}

package enum ServiceRefusal: Sendable {
    /// With a result for each record.
    case each
    /// The whole request for one bad record, with this answer.
    case whole(HTTPResponse)
}

/// A request is not as the service documents it.
package struct Undocumented: Error, CustomStringConvertible {
    package let description: String
    /// What the service documents that it answers to that; nil: nobody should ever send it.
    package let answer: HTTPResponse?

    package init(_ description: String, answer: HTTPResponse? = nil) {
        self.description = description
        self.answer = answer
    }

    /// More bytes than the service takes at once.
    package static let tooLarge = Undocumented("it is too large", answer: HTTPResponse(status: 413))
}

/// An answer of a service that takes nothing.
package struct DocumentedFailure: Sendable {
    package let name: String
    package let response: HTTPResponse
    /// What a delivery that met it says.
    package let code: String
    /// `event`, `target` or `gone`.
    package let blame: String
    /// Seconds.
    package var retryAfter: Int?

    package init(
        _ name: String, _ status: Int, _ body: String = "", code: String? = nil, blame: String, retryAfter: Int? = nil
    ) {
        self.name = name
        var headers: HeaderFields = ["Content-Type": "application/json"]
        if let retryAfter { headers.append("Retry-After", "\(retryAfter)") }
        response = HTTPResponse(status: status, headers: headers, body: Array(body.utf8))
        self.code = code ?? "http_\(status)"
        self.blame = blame
        self.retryAfter = retryAfter
    }
}

/// A service's token endpoint.
package struct DocumentedTokens: Sendable {
    package var path: String
    package var scope: String?
    /// Seconds; nil: it does not say.
    package var lifetime: Int?
    /// What it answers to a request whose token it does not know.
    package var unauthorized: HTTPResponse
}

/// A request with its body as it was before compression.
package struct ServiceRequest: Sendable {
    package var method: String
    package var target: String
    package var headers: HeaderFields
    package var body: [UInt8]
    /// Bytes of the body on the wire.
    package var wireSize: Int

    /// Reports what differs.
    package func expect(_ method: String, _ target: String, contentType: String) throws(Undocumented) {
        guard self.method == method else { throw Undocumented("the method is \(self.method)") }
        guard self.target == target else { throw Undocumented("the path is \(self.target)") }
        let type = headers["Content-Type"]?.split(separator: ";").first.map(String.init)
        guard type == contentType else { throw Undocumented("the content type is \(type ?? "missing")") }
    }

    package func expect(header name: String, _ value: String) throws(Undocumented) {
        guard headers[name] == value else { throw Undocumented("\(name) is not as it should be") }
    }

    package func object() throws(Undocumented) -> [String: Any] { try Self.object(body[...]) }

    package func objects() throws(Undocumented) -> [[String: Any]] {
        guard let list = (try? JSONSerialization.jsonObject(with: Data(body))) as? [[String: Any]] else {
            throw Undocumented("the body is no JSON array of objects")
        }
        return list
    }

    package static func object(_ bytes: some Collection<UInt8>) throws(Undocumented) -> [String: Any] {
        guard let object = (try? JSONSerialization.jsonObject(with: Data(bytes))) as? [String: Any] else {
            throw Undocumented("there is something that is no JSON object")
        }
        return object
    }
}

extension [String: Any] {
    package func text(_ name: String) throws(Undocumented) -> String {
        guard let text = self[name] as? String else { throw Undocumented("there is no text `\(name)`") }
        return text
    }

    package func object(_ name: String) throws(Undocumented) -> [String: Any] {
        guard let object = self[name] as? [String: Any] else { throw Undocumented("there is no object `\(name)`") }
        return object
    }
}

/// Every service that has a preset.
package enum DocumentedServices {
    package static let all: [any DocumentedService] = [
        SplunkCollector(), ElasticsearchBulk(), SentinelIngestion(), DatadogIntake(), HubSpotContacts(),
        SalesforceCollections(), DynamicsTable(), SlackWebhook(),
    ]

    package static func named(_ preset: String) -> (any DocumentedService)? { all.first { $0.preset == preset } }
}
