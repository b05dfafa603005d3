package import HTTPTypes

/// HubSpot's batch upsert of contacts: 200 with `results`, or 207 with `errors` too, by the trace id of each input.
package struct HubSpotContacts: DocumentedService {
    package let preset = "hubspot"

    package init() {}

    package func keys(origin: String) -> String {
        #"token: pat-eu1-0123, endpoint: "\#(origin)", id_property: gatehouse_id, id: id, rate: 1000/s"#
    }

    package func read(_ request: ServiceRequest) throws(Undocumented) -> [String] {
        try request.expect("POST", "/crm/v3/objects/contacts/batch/upsert", contentType: "application/json")
        try request.expect(header: "Authorization", "Bearer pat-eu1-0123")
        guard let inputs = try request.object()["inputs"] as? [[String: Any]], 1...100 ~= inputs.count else {
            throw Undocumented("`inputs` is no list of at most 100")
        }
        var records: [String] = []
        for input in inputs {
            guard try input.text("idProperty") == "gatehouse_id" else { throw Undocumented("another property") }
            let properties = try input.object("properties")
            guard properties.values.allSatisfy({ $0 is String }) else { throw Undocumented("a property is no text") }
            let id = try input.text("id")
            guard try input.text("objectWriteTraceId") == id else { throw Undocumented("it is traced by another id") }
            records.append(id)
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
        guard !errors.isEmpty else { return .json(#"{"status":"COMPLETE","results":[\#(list)]}"#) }
        return .json(
            #"{"status":"COMPLETE","results":[\#(list)],"numErrors":\#(errors.count),"errors":[\#(errors.joined(separator: ","))]}"#,
            status: 207)
    }

    private static func error(_ category: String, _ record: String) -> String {
        #"{"status":"error","category":"\#(category)","message":"no","context":{"objectWriteTraceId":["\#(record)"]}}"#
    }

    package let refusal = ServiceRefusal.each

    package var failures: [DocumentedFailure] {
        func error(
            _ name: String, _ status: Int, _ category: String, blame: String = "target", retryAfter: Int? = nil
        ) -> DocumentedFailure {
            DocumentedFailure(
                name, status, #"{"status":"error","category":"\#(category)","message":"no"}"#, blame: blame,
                retryAfter: retryAfter)
        }
        return [
            error("not valid", 400, "VALIDATION_ERROR", blame: "event"),
            error("token expired", 401, "EXPIRED_AUTHENTICATION"), error("no scope", 403, "MISSING_SCOPES"),
            error("ten-secondly limit", 429, "RATE_LIMITS", retryAfter: 10),
            error("bad gateway", 502, "INTERNAL_ERROR"),
        ]
    }
}
