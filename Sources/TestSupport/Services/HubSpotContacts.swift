package import HTTPTypes

/// HubSpot's batch upsert of contacts: 200 with `results`, or 207 with `errors` too, by the trace id of each input.
package struct HubSpotContacts: DocumentedService {
    package let preset = "hubspot"
    /// By e-mail address there are no partial upserts: one bad contact is a 400 for all.
    private let isByEmail: Bool

    package init(isByEmail: Bool = false) { self.isByEmail = isByEmail }

    private var idProperty: String { isByEmail ? "email" : "gatehouse_id" }

    package func keys(origin: String) -> String {
        #"token: pat-eu1-0123, endpoint: "\#(origin)", id_property: \#(idProperty), id: id, rate: 1000/s"#
    }

    package func read(_ request: ServiceRequest) throws(Undocumented) -> [String] {
        try request.expect("POST", "/crm/v3/objects/contacts/batch/upsert", contentType: "application/json")
        try request.expect(header: "Authorization", "Bearer pat-eu1-0123")
        guard let inputs = try request.object()["inputs"] as? [[String: Any]], 1...100 ~= inputs.count else {
            throw Undocumented("`inputs` is no list of at most 100")
        }
        var records: [String] = []
        var ids: Set<String> = []
        for input in inputs {
            guard try input.text("idProperty") == idProperty else { throw Undocumented("another property") }
            let properties = try input.object("properties")
            guard properties.values.allSatisfy({ $0 is String }) else { throw Undocumented("a property is no text") }
            guard try ids.insert(input.text("id")).inserted else { throw Undocumented("a contact stands here twice") }
            records.append(try input.text("objectWriteTraceId"))
        }
        return records
    }

    package func answer(_ results: [(record: String, result: ServiceResult)]) -> HTTPResponse {
        var taken: [String] = []
        var errors: [String] = []
        // In no order that anybody promised.
        for (record, result) in results.reversed() {
            switch result {
            case .taken, .known:
                taken.append(#"{"id":"1","objectWriteTraceId":"\#(record)","new":\#(result == .taken)}"#)
            case .busy: errors.append(Self.error("RATE_LIMITS", record))
            case .refused: errors.append(Self.error("VALIDATION_ERROR", record))
            }
        }
        let list = taken.joined(separator: ",")
        // A 200 is all of them, and may name none.
        guard !errors.isEmpty else { return .json(#"{"status":"COMPLETE","results":[{"id":"1","new":true}]}"#) }
        return .json(
            #"{"status":"COMPLETE","results":[\#(list)],"numErrors":\#(errors.count),"errors":[\#(errors.joined(separator: ","))]}"#,
            status: 207)
    }

    private static func error(_ category: String, _ record: String) -> String {
        #"{"status":"error","category":"\#(category)","message":"no","context":{"objectWriteTraceId":["\#(record)"]}}"#
    }

    package var refusal: ServiceRefusal {
        isByEmail ? .whole(.json(#"{"status":"error","category":"VALIDATION_ERROR"}"#, status: 400)) : .each
    }

    package var failures: [DocumentedFailure] {
        func error(
            _ name: String, _ status: Int, _ category: String, more: String = "", says: String? = nil,
            blame: String = "target", retryAfter: Int? = nil
        ) -> DocumentedFailure {
            DocumentedFailure(
                name, status, #"{"status":"error","category":"\#(category)","message":"no"\#(more)}"#, code: says,
                blame: blame, retryAfter: retryAfter)
        }
        return [
            error("not valid", 400, "VALIDATION_ERROR", blame: "event"),
            error(
                "no such property", 400, "VALIDATION_ERROR",
                more: #","errors":[{"message":"no","code":"PROPERTY_DOESNT_EXIST"}]"#, says: "answer_retry"),
            error("token expired", 401, "EXPIRED_AUTHENTICATION"), error("no scope", 403, "MISSING_SCOPES"),
            error("locked for two seconds", 423, "LOCKED"),
            error("ten-secondly limit", 429, "RATE_LIMITS", more: #","policyName":"TEN_SECONDLY_ROLLING""#),
            error("daily limit", 429, "RATE_LIMITS", more: #","policyName":"DAILY""#),
            error("moved to another place", 477, "MIGRATION_IN_PROGRESS", retryAfter: 600),
            error("bad gateway", 502, "INTERNAL_ERROR"), error("unavailable", 503, "INTERNAL_ERROR"),
            error("gateway timeout", 504, "INTERNAL_ERROR"), error("down", 521, "INTERNAL_ERROR"),
        ]
    }
}
