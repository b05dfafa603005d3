internal import Addresses
package import Delivery
internal import Dispatch
internal import Events
package import HTTPServer
internal import HTTPTypes
internal import JSON
package import Metrics
internal import Synchronization

/// Answers `/api/v1/…` on the console's address, to callers with a token.
package final class APIHandler: Sendable {
    /// Requests that wait to be looked up.
    static let maximumWaiting = 32
    /// Bytes of a body that holds parameters.
    private static let maximumParameters = 16 << 10

    private let access: AccessDesk
    private let records: APIRecords
    private let audit: @Sendable (AuditEntry) throws -> Void
    private let metrics: APIMetrics
    /// Lists are read from disk: not on a server thread, and one after the other, so that a console costs the service
    /// little.
    private let queue = DispatchQueue(label: "console api")
    private let waiting = Atomic(0)

    /// - Parameters:
    ///   - desk: does what operators ask for; nil: nothing can be changed.
    ///   - explainer: nil: nothing can be explained.
    ///   - audit: writes an entry down; it is on the disk when this returns.
    package init(
        access: AccessDesk, records: LocalRecords, desk: OperatorDesk? = nil, explainer: (any EventExplaining)? = nil,
        metrics: MetricsRegistry = MetricsRegistry(), audit: @escaping @Sendable (AuditEntry) throws -> Void
    ) {
        self.access = access
        self.records = APIRecords(records, desk: desk, explainer: explainer)
        self.metrics = APIMetrics(metrics)
        self.audit = audit
    }

    package static func isIts(_ path: String) -> Bool { path.hasPrefix(APIResources.prefix) }

    package func receive(_ head: HTTPRequestHead) -> HTTPAdmission {
        let caller: APICaller
        do throws(APIProblem) {
            caller = try access.caller(head).get()
        } catch {
            metrics.refused(error)
            return .refuse(Self.finished(error.response))
        }
        var known: APIResource?
        do throws(APIProblem) {
            let (resource, values) = try Self.resource(head)
            known = resource
            let request = try Self.request(head, resource, values, caller)
            let isLines = Self.wantsLines(head)
            let maximum = resource.takesParametersInBody ? Self.maximumParameters : resource.maximumBody
            return .buffered(head, maximum: maximum) { [self] body, exchange in
                var request = request
                do throws(APIProblem) {
                    if resource.takesParametersInBody {
                        try request.addParameters(from: body, resource.parameters)
                    } else {
                        request.body = body
                    }
                    enqueue(request, resource, isLines, exchange)
                } catch {
                    respond(error.response, resource, exchange)
                }
            }
        } catch {
            metrics.answered(known, status: error.details.status)
            return .refuse(Self.finished(error.response))
        }
    }

    // MARK: what is asked

    private static func resource(
        _ head: HTTPRequestHead
    ) throws(APIProblem) -> (resource: APIResource, values: [String: String]) {
        let found = APIResources.at(head.path)
        guard !found.isEmpty else { throw .notFound() }
        let method = head.method == "HEAD" ? "GET" : head.method
        guard let match = found.first(where: { $0.resource.method == method }) else {
            let methods = found.map(\.resource.method)
            throw .method(methods + (methods.contains("GET") ? ["HEAD"] : []))
        }
        return match
    }

    private static func request(
        _ head: HTTPRequestHead, _ resource: APIResource, _ values: [String: String], _ caller: APICaller
    ) throws(APIProblem) -> APIRequest {
        guard caller.role >= resource.role else { throw .role(resource.role) }
        guard caller.team == nil || resource.isForTeams else { throw .notForTeams }
        let parameters = try APIRequest.parse(head.query, resource.parameters)
        let request = APIRequest(caller: caller, pathValues: values, parameters: parameters, path: head.path)
        if request.isUnmasked, caller.role < .operator { throw .maskedForViewers }
        return request
    }

    private static func wantsLines(_ head: HTTPRequestHead) -> Bool {
        head.headers.values("Accept").contains { $0.contains("application/x-ndjson") }
    }

    // MARK: the answer

    private func enqueue(
        _ request: APIRequest, _ resource: APIResource, _ isLines: Bool, _ exchange: HTTPExchange
    ) {
        guard waiting.add(1, ordering: .relaxed).newValue <= Self.maximumWaiting else {
            waiting.subtract(1, ordering: .relaxed)
            return respond(APIProblem.busy.response, resource, exchange)
        }
        queue.async { [self] in
            waiting.subtract(1, ordering: .relaxed)
            let answer: @Sendable (Result<APIOutcome, any Error>) -> Void = { [self] result in
                respond(response(result, request, resource, isLines), resource, exchange)
            }
            do {
                let outcome = try resource.answer(request, records)
                guard case .later(let begin) = outcome else { return answer(.success(outcome)) }
                begin { result in answer(result) }
            } catch {
                answer(.failure(error))
            }
        }
    }

    private func respond(_ response: HTTPResponse, _ resource: APIResource, _ exchange: HTTPExchange) {
        metrics.answered(resource, status: response.status)
        exchange.respond(Self.finished(response))
    }

    private func response(
        _ result: Result<APIOutcome, any Error>, _ request: APIRequest, _ resource: APIResource, _ isLines: Bool
    ) -> HTTPResponse {
        do {
            var outcome = try result.get()
            if resource.isPersonal {
                if request.isUnmasked {
                    try note(request, resource, outcome)
                } else if !resource.masksItself {
                    outcome = outcome.masked()
                }
            }
            return outcome.response(isLines: isLines)
        } catch let problem as APIProblem {
            return problem.response
        } catch let error as RecordError {
            return APIProblem.query(error.description).response
        } catch let error as QueryError {
            return APIProblem.query(error.message).response
        } catch {
            return APIProblem.unreadable("\(error)").response
        }
    }

    /// Nothing is shown in the clear before it is written down who asked.
    private func note(_ request: APIRequest, _ resource: APIResource, _ outcome: APIOutcome) throws(APIProblem) {
        guard outcome.count > 0 else { return }
        // A condition may name the person that is looked for.
        let asked = request.parameters.filter { !["unmask", "cursor", "where"].contains($0.key) }
        var details = asked.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        if request.parameters["where"] != nil { details.append("where=…") }
        details.append("items=\(outcome.count)")
        let entry = AuditEntry(
            atMs: Timestamp.now().milliseconds, actor: request.caller.name,
            action: "\(resource.path.split(separator: "/").first ?? "").read", subject: request.pathValues["id"],
            detail: details.joined(separator: " "))
        do {
            try audit(entry)
        } catch {
            throw .auditUnavailable
        }
    }

    /// Answers are for the caller only.
    private static func finished(_ response: HTTPResponse) -> HTTPResponse {
        var response = response
        response.headers.append("Cache-Control", "no-store")
        response.headers.append("X-Content-Type-Options", "nosniff")
        return response
    }
}

extension APIOutcome {
    /// The items of a page; 1 for an object.
    fileprivate var count: Int {
        switch self {
        case .page(let page): page.lines.count
        case .object: 1
        case .response, .later: 0
        }
    }

    /// With personal fields hidden; an event that cannot be read is left out.
    fileprivate func masked() -> APIOutcome {
        let mask = EventMask()
        switch self {
        case .page(var page):
            page.lines = page.lines.compactMap { mask.masked($0) ?? mask.maskedDelivery($0) }
            return .page(page)
        case .object(let json):
            return .object(mask.masked(json) ?? mask.maskedDeadLetter(json) ?? Array("{}".utf8))
        case .response, .later: return self
        }
    }

    /// A page is `{"items": […], "next": …}`, or its items one a line.
    fileprivate func response(isLines: Bool) -> HTTPResponse {
        switch self {
        case .page(let page) where isLines:
            var headers: HeaderFields = ["Content-Type": "application/x-ndjson"]
            if let next = page.next { headers.append(ControlHandler.nextHeader, next) }
            return HTTPResponse(status: 200, headers: headers, body: page.lines.flatMap { $0 + [0x0A] })
        case .page(let page):
            var writer = JSONWriter(reserving: page.lines.reduce(64) { $0 + $1.count + 1 })
            writer.beginObject()
            writer.key("items")
            writer.beginArray()
            for line in page.lines { writer.raw(line) }
            writer.endArray()
            writer.key("next")
            if let next = page.next { writer.string(next) } else { writer.null() }
            writer.endObject()
            return HTTPResponse(status: 200, headers: ["Content-Type": "application/json"], body: writer.bytes)
        case .object(let json):
            return HTTPResponse(status: 200, headers: ["Content-Type": "application/json"], body: json)
        case .response(let response):
            return response
        case .later:
            return APIProblem.unreadable("").response
        }
    }
}
