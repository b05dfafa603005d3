package import HTTPTypes

/// Salesforce's upsert of up to 200 records of one type: 200 with an array of results in the order of the records.
package struct SalesforceCollections: DocumentedService {
    package let preset = "salesforce"

    package init() {}

    package func keys(origin: String) -> String {
        """
        instance: "\(origin)", client_id: 3MVG9.key, client_secret: "ABC123", external_id: Gatehouse_Id__c, id: id
        """
    }

    package var tokens: DocumentedTokens? {
        DocumentedTokens(
            path: "/services/oauth2/token", scope: nil, lifetime: nil,
            unauthorized: .json(
                #"[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]"#, status: 401))
    }

    package func read(_ request: ServiceRequest) throws(Undocumented) -> [String] {
        try request.expect(
            "PATCH", "/services/data/v62.0/composite/sobjects/Contact/Gatehouse_Id__c",
            contentType: "application/json")
        let body = try request.object()
        guard let allOrNone = body["allOrNone"] as? Bool, !allOrNone, let list = body["records"] as? [[String: Any]],
            1...200 ~= list.count
        else { throw Undocumented("it is not at most 200 records, each for itself") }
        var records: [String] = []
        for record in list {
            guard try record.object("attributes").text("type") == "Contact", record["LastName"] as? String != "" else {
                throw Undocumented("a record is no contact, or loses its name")
            }
            records.append(try record.text("Gatehouse_Id__c"))
        }
        return records
    }

    package func answer(_ results: [(record: String, result: ServiceResult)]) -> HTTPResponse {
        let items = results.map { record, result in
            switch result {
            case .taken, .known:
                #"{"id":"003\#(record.suffix(8))","success":true,"errors":[],"created":\#(result == .taken)}"#
            case .busy: Self.failure("UNABLE_TO_LOCK_ROW")
            case .refused: Self.failure("INVALID_EMAIL_ADDRESS")
            }
        }
        return .json("[\(items.joined(separator: ","))]")
    }

    private static func failure(_ code: String) -> String {
        #"{"success":false,"errors":[{"statusCode":"\#(code)","message":"no","fields":[]}]}"#
    }

    package let refusal = ServiceRefusal.each

    package var failures: [DocumentedFailure] {
        func error(
            _ name: String, _ status: Int, _ code: String, says: String? = nil, blame: String = "target"
        ) -> DocumentedFailure {
            DocumentedFailure(name, status, #"[{"errorCode":"\#(code)","message":"no"}]"#, code: says, blame: blame)
        }
        func record(_ code: String, blame: String) -> DocumentedFailure {
            DocumentedFailure(
                code, 200, "[\(Self.failure(code))]", code: blame == "event" ? "answer_refused" : "answer_retry",
                blame: blame)
        }
        let busy = [
            "UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "REQUEST_RUNNING_TOO_LONG", "QUERY_TIMEOUT",
            "UNKNOWN_EXCEPTION", "REQUEST_LIMIT_EXCEEDED", "STORAGE_LIMIT_EXCEEDED", "INVALID_FIELD",
            "INVALID_FIELD_FOR_INSERT_UPDATE",
        ]
        let refused = [
            "DUPLICATES_DETECTED", "DUPLICATE_VALUE", "DUPLICATE_EXTERNAL_ID", "FIELD_CUSTOM_VALIDATION_EXCEPTION",
            "INVALID_EMAIL_ADDRESS", "REQUIRED_FIELD_MISSING", "STRING_TOO_LONG",
        ]
        return [
            error("not understood", 400, "JSON_PARSER_ERROR", blame: "event"),
            error("no such field", 400, "INVALID_FIELD", says: "answer_retry"),
            error("the day's limit", 403, "REQUEST_LIMIT_EXCEEDED"), error("no such type", 404, "NOT_FOUND"),
            error("internal error", 500, "UNKNOWN_EXCEPTION"), error("unavailable", 503, "SERVER_UNAVAILABLE"),
        ] + busy.map { record($0, blame: "target") } + refused.map { record($0, blame: "event") }
    }
}
