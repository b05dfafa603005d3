package import HTTPTypes

/// Microsoft's Logs Ingestion API: an array to a stream of a data collection rule, 204 for all of it.
package struct SentinelIngestion: DocumentedService {
    package let preset = "sentinel"
    private static let rule = "dcr-0123456789abcdef0123456789abcdef"

    package init() {}

    package func keys(origin: String) -> String {
        """
        dce: "\(origin)", dcr: \(Self.rule), stream: Custom-Visits_CL, tenant: contoso, client_id: 00aa-11bb, \
        client_secret: "s3cret+/=&", authority: "\(origin)"
        """
    }

    package var tokens: DocumentedTokens? {
        DocumentedTokens(
            path: "/contoso/oauth2/v2.0/token", scope: "https://monitor.azure.com/.default", lifetime: 3599,
            unauthorized: .json(#"{"error":{"code":"InvalidToken"}}"#, status: 401))
    }

    package func read(_ request: ServiceRequest) throws(Undocumented) -> [String] {
        try request.expect(
            "POST", "/dataCollectionRules/\(Self.rule)/streams/Custom-Visits_CL?api-version=2023-01-01",
            contentType: "application/json")
        guard request.body.count <= 1_000_000, request.wireSize <= 1_000_000 else { throw .tooLarge }
        var records: [String] = []
        for row in try request.objects() {
            guard try row.text("TimeGenerated") == row.text("EventTime") else { throw Undocumented("two times") }
            let names = Set(row.keys)
            guard
                names.isDisjoint(with: [
                    "_ResourceId", "id", "_SubscriptionId", "TenantId", "Type", "UniqueId", "Title",
                ]),
                names.allSatisfy({ $0.utf8.count <= 45 && $0.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" } })
            else { throw Undocumented("a column's name is reserved, or none") }
            records.append(try row.text("EventId"))
        }
        return records
    }

    package func answer(_ results: [(record: String, result: ServiceResult)]) -> HTTPResponse {
        HTTPResponse(status: 204)
    }

    package var refusal: ServiceRefusal {
        .whole(.json(#"{"error":{"code":"InvalidPayload","message":"no"}}"#, status: 400))
    }

    package var failures: [DocumentedFailure] {
        [
            DocumentedFailure("malformed", 400, #"{"error":{"code":"InvalidPayload"}}"#, blame: "event"),
            DocumentedFailure("no role", 403, #"{"error":{"code":"OperationFailed"}}"#, blame: "target"),
            DocumentedFailure("no such rule", 404, #"{"error":{"code":"NotFound"}}"#, blame: "target"),
            DocumentedFailure("too large", 413, #"{"error":{"code":"ContentLengthLimitExceeded"}}"#, blame: "event"),
            DocumentedFailure("throttled", 429, "", blame: "target", retryAfter: 5),
            DocumentedFailure("internal error", 500, blame: "target"),
            DocumentedFailure("unavailable", 503, blame: "target", retryAfter: 2),
        ]
    }
}
