package import HTTPTypes
import Synchronization

/// A service at work, over real HTTP. It reads requests as the service documents them, remembers what it took, and
/// answers as it is told.
package final class ServiceStandIn: Sendable {
    fileprivate struct State {
        var taken: [String: Int] = [:]
        var complaints: [String] = []
        var failures: [HTTPResponse] = []
        var successes: [HTTPResponse] = []
        var requests = 0
        var token = 0
        var tokenRequests: [ScriptedRequest] = []
        var tokenFailures: [HTTPResponse] = []
    }

    fileprivate final class Desk: Sendable {
        let service: any DocumentedService
        let verdict: @Sendable (String, Int) -> ServiceResult
        let state = Mutex(State())

        init(_ service: any DocumentedService, _ verdict: @escaping @Sendable (String, Int) -> ServiceResult) {
            self.service = service
            self.verdict = verdict
        }
    }

    private let desk: Desk
    private let server: ScriptedServer

    /// - Parameter verdict: of a record, and how often it stood in a request before this one.
    package init(
        _ service: any DocumentedService,
        verdict: @escaping @Sendable (String, Int) -> ServiceResult = { _, _ in .taken }
    ) {
        let desk = Desk(service, verdict)
        self.desk = desk
        server = ScriptedServer(answering: { desk.answer($0) })
    }

    package var service: any DocumentedService { desk.service }
    package var origin: String { "http://127.0.0.1:\(server.port)" }
    /// How often each record was taken.
    package var taken: [String: Int] { desk.state.withLock(\.taken) }
    /// What was not as the service documents it.
    package var complaints: [String] { desk.state.withLock(\.complaints) }
    package var requestCount: Int { desk.state.withLock(\.requests) }
    package var tokenRequests: [ScriptedRequest] { desk.state.withLock(\.tokenRequests) }

    /// What the next requests are answered, whatever they hold.
    package func fail(_ failures: DocumentedFailure...) {
        desk.state.withLock { $0.failures += failures.map(\.response) }
    }

    /// What the next request is answered, all of whose records are taken.
    package func succeed(_ success: HTTPResponse) { desk.state.withLock { $0.successes.append(success) } }

    /// What the next requests for a token are answered.
    package func failTokens(_ responses: HTTPResponse...) { desk.state.withLock { $0.tokenFailures += responses } }

    /// The tokens there are are good no more.
    package func forgetTokens() { desk.state.withLock { $0.token += 1000 } }

    /// A whole target in YAML.
    package func configuration(_ more: String = "") -> String {
        """
        {type: http, preset: \(service.preset), allow: 127.0.0.1/32, \(service.keys(origin: origin))\
        \(more.isEmpty ? "" : ", \(more)")}
        """
    }
}

extension ServiceStandIn.Desk {
    fileprivate func answer(_ request: ScriptedRequest) -> HTTPResponse {
        state.withLock { state in
            if let tokens = service.tokens, request.target == tokens.path {
                return self.tokens(request, tokens, &state)
            }
            state.requests += 1
            if let tokens = service.tokens, request.headers["Authorization"] != "Bearer token-\(state.token)" {
                return tokens.unauthorized
            }
            do throws(Undocumented) {
                let records = try service.read(try Self.read(request))
                guard Set(records).count == records.count else { throw Undocumented("a record stands here twice") }
                if !state.failures.isEmpty { return state.failures.removeFirst() }
                if !state.successes.isEmpty {
                    for record in records { state.taken[record, default: 0] += 1 }
                    return state.successes.removeFirst()
                }
                return answer(records, &state)
            } catch {
                if let answer = error.answer { return answer }
                state.complaints.append(error.description)
                return HTTPResponse(status: 400)
            }
        }
    }

    private func answer(_ records: [String], _ state: inout ServiceStandIn.State) -> HTTPResponse {
        let results = records.map { (record: $0, result: verdict($0, state.taken[$0] ?? 0)) }
        if case .whole(let response) = service.refusal, results.contains(where: { $0.result == .refused }) {
            return response
        }
        for (record, result) in results where result == .taken { state.taken[record, default: 0] += 1 }
        return service.answer(results)
    }

    private func tokens(
        _ request: ScriptedRequest, _ tokens: DocumentedTokens, _ state: inout ServiceStandIn.State
    ) -> HTTPResponse {
        state.tokenRequests.append(request)
        if !state.tokenFailures.isEmpty { return state.tokenFailures.removeFirst() }
        let form = Form(request.body)
        guard request.method == "POST", request.headers["Content-Type"] == "application/x-www-form-urlencoded",
            form["grant_type"] == "client_credentials", tokens.scope == nil || form["scope"] == tokens.scope
        else {
            state.complaints.append("a request for a token is not as documented")
            return HTTPResponse.json(#"{"error":"invalid_request"}"#, status: 400)
        }
        state.token += 1
        let lifetime = tokens.lifetime.map { #","expires_in":\#($0)"# } ?? ""
        return HTTPResponse.json(#"{"access_token":"token-\#(state.token)","token_type":"Bearer"\#(lifetime)}"#)
    }

    private static func read(_ request: ScriptedRequest) throws(Undocumented) -> ServiceRequest {
        var body = request.body
        switch request.headers["Content-Encoding"] {
        case nil: break
        case "gzip":
            guard let inflated = Gzip.inflate(body, atMost: 64 << 20) else { throw Undocumented("the body is no gzip") }
            body = inflated
        case let other?: throw Undocumented("the body is encoded as \(other)")
        }
        return ServiceRequest(
            method: request.method, target: request.target, headers: request.headers, body: body,
            wireSize: request.body.count)
    }
}

/// `application/x-www-form-urlencoded`, read.
package struct Form {
    private var values: [String: String] = [:]

    package init(_ body: [UInt8]) {
        for pair in String(decoding: body, as: UTF8.self).split(separator: "&") {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            values[Self.decoded(halves[0])] = Self.decoded(halves.count == 2 ? halves[1] : "")
        }
    }

    package subscript(_ name: String) -> String? { values[name] }

    package static func decoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "+") {
                bytes.append(0x20)
            } else if byte == UInt8(ascii: "%"),
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
