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
        try request.expect(header: "OData-MaxVersion", "4.0")
        try request.expect(header: "Accept", "application/json")
        let row = try request.object()
        guard row["gate_eventid"] == nil else { throw Undocumented("the key stands in the body") }
        guard row["lastname"] as? String != "" else { throw Undocumented("a contact loses its name") }
        let key = Form.decoded(String(request.target.dropFirst(start.count).dropLast(2)))
        guard !key.replacing("''", with: "").contains("'") else { throw Undocumented("a ' in the key is not doubled") }
        guard !key.contains(where: { #"/<>*%&:\?+"#.contains($0) }) else {
            throw Undocumented("the key has a character that is not supported")
        }
        return [key.replacing("''", with: "'")]
    }

    package func answer(_ results: [(record: String, result: ServiceResult)]) -> HTTPResponse {
        HTTPResponse(status: 204)
    }

    package var refusal: ServiceRefusal {
        .whole(.json(#"{"error":{"code":"0x80048d19","message":"no"}}"#, status: 400))
    }

    package var failures: [DocumentedFailure] {
        func error(
            _ name: String, _ status: Int, _ code: String, says: String? = nil, blame: String = "target",
            retryAfter: Int? = nil
        ) -> DocumentedFailure {
            DocumentedFailure(
                name, status, #"{"error":{"code":"\#(code)","message":"no"}}"#, code: says, blame: blame,
                retryAfter: retryAfter)
        }
        return [
            error("not valid", 400, "0x80048d19", blame: "event"),
            error("no alternate key", 400, "0x80060888", says: "answer_retry"),
            error("no privilege", 403, "0x80040220"), error("no such table", 404, "0x80060888"),
            error("not for this table", 405, "0x80060890"), error("made twice at once", 412, "0x80060892"),
            error("too large", 413, "0x80060891", blame: "event"),
            error("too many requests", 429, "0x80072322", retryAfter: 7),
            error("too much work", 429, "0x80072321", retryAfter: 31),
            error("too many at once", 429, "0x80072326", retryAfter: 1), error("unavailable", 503, "0x80044150"),
        ]
    }
}
