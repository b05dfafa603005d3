internal import Dispatch
package import HTTPServer
internal import HTTPTypes

/// Answers the program's own commands on the control socket, which only the instance's user may open.
package final class ControlHandler: HTTPHandler {
    private let records: any RecordSource
    private let desk: OperatorDesk?
    /// Lists are read from disk: not on a server thread.
    private let queue = DispatchQueue(label: "control")

    /// - Parameter desk: without one nothing can be changed.
    package init(records: any RecordSource, desk: OperatorDesk? = nil) {
        self.records = records
        self.desk = desk
    }

    /// The header that says where the next page begins.
    package static let nextHeader = "Gatehouse-Next"
    package static let balancedHeader = "Gatehouse-Balanced"

    package func receive(_ head: HTTPRequestHead) -> HTTPAdmission {
        .buffered(head, maximum: 0) { [self] _, exchange in
            queue.async { [self] in
                // Others need not wait for a receiver.
                if let desk, let target = OperatorDesk.testedTarget(head) {
                    return desk.test(target, by: OperatorDesk.actor(head)) { exchange.respond($0) }
                }
                exchange.respond(answer(head))
            }
        }
    }

    private func answer(_ head: HTTPRequestHead) -> HTTPResponse {
        do {
            if let response = try desk?.answer(head) { return response }
            if head.path == ListQuery.prefix + "reconcile" {
                let (json, isBalanced) = try records.reconcile()
                return HTTPResponse(
                    status: 200,
                    headers: ["Content-Type": "application/json", Self.balancedHeader: isBalanced ? "true" : "false"],
                    body: json)
            }
            guard let (query, cursor) = try ListQuery.parse(path: head.path, query: head.query) else {
                return ProblemDetails(status: 404, code: "not_found", title: "There is nothing here").response()
            }
            return Self.page(try records.page(query, after: cursor))
        } catch let error as QueryError {
            return Self.refusal(error.message)
        } catch let error as RecordError {
            return Self.refusal(error.description)
        } catch {
            return ProblemDetails(
                status: 500, code: "unreadable", title: "The records could not be read", detail: "\(error)"
            ).response()
        }
    }

    private static func refusal(_ detail: String) -> HTTPResponse {
        ProblemDetails(status: 400, code: "query", title: "The query makes no sense", detail: detail).response()
    }

    static func page(_ page: RecordPage) -> HTTPResponse {
        var headers: HeaderFields = ["Content-Type": "application/x-ndjson"]
        if let next = page.next { headers.append(Self.nextHeader, next) }
        return HTTPResponse(status: 200, headers: headers, body: page.lines.flatMap { $0 + [0x0A] })
    }
}
