/// An answer to an HTTP request.
package struct HTTPResponse: Sendable, Hashable {
    package var status: Int
    package var headers: HeaderFields
    package var body: [UInt8]
    /// Whether the connection is closed after this answer.
    package var closesConnection: Bool

    package init(status: Int, headers: HeaderFields = [:], body: [UInt8] = [], closesConnection: Bool = false) {
        self.status = status
        self.headers = headers
        self.body = body
        self.closesConnection = closesConnection
    }

    package static func json(_ body: String, status: Int = 200) -> HTTPResponse {
        HTTPResponse(status: status, headers: ["Content-Type": "application/json"], body: Array(body.utf8))
    }

    package static func text(_ body: String, status: Int = 200) -> HTTPResponse {
        HTTPResponse(status: status, headers: ["Content-Type": "text/plain; charset=utf-8"], body: Array(body.utf8))
    }
}
