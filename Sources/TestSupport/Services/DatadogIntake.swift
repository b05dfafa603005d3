import Foundation
package import HTTPTypes

/// Datadog's intake of logs: an array, 202 for all of it.
package struct DatadogIntake: DocumentedService {
    package let preset = "datadog"
    private static let key = "0123456789abcdef0123456789abcdef"

    package init() {}

    package func keys(origin: String) -> String {
        #"api_key: "\#(Self.key)", endpoint: "\#(origin)", tags: "env:test,team:front-desk""#
    }

    package func read(_ request: ServiceRequest) throws(Undocumented) -> [String] {
        try request.expect("POST", "/api/v2/logs", contentType: "application/json")
        try request.expect(header: "DD-API-KEY", Self.key)
        let logs = try request.objects()
        guard request.body.count <= 5_000_000 else { throw .tooLarge }
        guard logs.count <= 1000 else { throw Undocumented("more than 1000 logs") }
        var records: [String] = []
        for log in logs {
            guard let size = (try? JSONSerialization.data(withJSONObject: log))?.count, size <= 1_000_000 else {
                throw Undocumented("a log is larger than 1 MB")
            }
            guard try log.text("ddtags") == "env:test,team:front-desk", try log.text("ddsource") == "gatehouse",
                try log.text("service") == "gatehouse", log["timestamp"] is NSNumber, try !log.text("message").isEmpty
            else { throw Undocumented("a reserved attribute is not as it should be") }
            records.append(try log.object("event").text("id"))
        }
        return records
    }

    package func answer(_ results: [(record: String, result: ServiceResult)]) -> HTTPResponse {
        .json("{}", status: 202)
    }

    package var refusal: ServiceRefusal {
        .whole(.json(#"{"errors":[{"status":"400","title":"Bad Request"}]}"#, status: 400))
    }

    package var failures: [DocumentedFailure] {
        func error(_ name: String, _ status: Int, blame: String = "target", retryAfter: Int? = nil) -> DocumentedFailure
        {
            DocumentedFailure(
                name, status, #"{"errors":[{"status":"\#(status)","title":"\#(name)"}]}"#, blame: blame,
                retryAfter: retryAfter)
        }
        return [
            error("bad request", 400, blame: "event"), error("unauthorized", 401), error("forbidden", 403),
            error("timeout", 408), error("too large", 413, blame: "event"),
            error("too many requests", 429, retryAfter: 3), error("internal error", 500), error("unavailable", 503),
        ]
    }
}
