package import HTTPTypes

/// Dataverse's upsert of a row by an alternate key: 204.
package struct DynamicsTable: DocumentedService {
    package let preset = "dynamics"

    package init() {}

    package func keys(origin: String) -> String {
        """
        organization: "\(origin)", tenant: contoso, client_id: 00aa-11bb, client_secret: s3cret, \
        authority: "\(origin)", key_column: gate_eventid, id: id, rate: 1000/s
        """
    }

    package var tokens: DocumentedTokens? {
        // The scope is of the organisation, which is an origin of its own each time.
        DocumentedTokens(
            path: "/contoso/oauth2/v2.0/token", scope: nil, lifetime: 3599,
            unauthorized: HTTPResponse(status: 401, headers: ["WWW-Authenticate": "Bearer error=invalid_token"]))
    }

    package func read(_ request: ServiceRequest) throws(Undocumented) -> [String] {
        let start = "/api/data/v9.2/contacts(gate_eventid='"
        guard request.target.hasPrefix(start), request.target.hasSuffix("')") else {
            throw Undocumented("the path is \(request.target)")
        }
        try request.expect("PATCH", request.target, contentType: "application/json")
        try request.expect(header: "OData-Version", "4.0")
        let row = try request.object()
        guard row["gate_eventid"] == nil else { throw Undocumented("the key stands in the body") }
        _ = try row.text("lastname")
        let key = Form.decoded(String(request.target.dropFirst(start.count).dropLast(2)))
        guard !key.replacing("''", with: "").contains("'") else { throw Undocumented("a ' in the key is not doubled") }
        return [key.replacing("''", with: "'")]
    }

    package func answer(_ results: [(record: String, result: ServiceResult)]) -> HTTPResponse {
        HTTPResponse(status: 204)
    }

    package var refusal: ServiceRefusal {
        .whole(.json(#"{"error":{"code":"0x80048d19","message":"no"}}"#, status: 400))
    }

    package var failures: [DocumentedFailure] {
        func error(_ name: String, _ status: Int, _ code: String, retryAfter: Int? = nil) -> DocumentedFailure {
            DocumentedFailure(
                name, status, #"{"error":{"code":"\#(code)","message":"no"}}"#, blame: "target", retryAfter: retryAfter)
        }
        return [
            error("no privilege", 403, "0x80040220"), error("no such table", 404, "0x80060888"),
            error("made twice at once", 412, "0x80040237"),
            error("too many requests", 429, "0x80072322", retryAfter: 7),
            error("unavailable", 503, "0x80044150"),
        ]
    }
}
