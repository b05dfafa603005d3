package import HTTPTypes

/// Splunk's HTTP Event Collector: events one after the other, `{text, code}` for all of them.
package struct SplunkCollector: DocumentedService {
    package let preset = "splunk-hec"
    private static let token = "B5A79AAD-D822-46CC-80D1-819F80D7BFB0"

    package init() {}

    package func keys(origin: String) -> String {
        #"endpoint: "\#(origin)", token: "\#(Self.token)", index: visits"#
    }

    package func read(_ request: ServiceRequest) throws(Undocumented) -> [String] {
        try request.expect("POST", "/services/collector/event", contentType: "application/json")
        try request.expect(header: "Authorization", "Splunk \(Self.token)")
        var records: [String] = []
        for part in try Self.parts(request.body) {
            let event = try ServiceRequest.object(part)
            guard let time = event["time"] as? Double, 0..<10_000_000_000 ~= time else {
                throw Undocumented("`time` is not in seconds")
            }
            guard try event.text("index") == "visits", try !event.text("sourcetype").isEmpty else {
                throw Undocumented("index or source type are not as they should be")
            }
            let inner = try event.object("event")
            guard Set(event.keys).isSubset(of: ["time", "host", "source", "sourcetype", "index", "fields", "event"])
            else { throw Undocumented("an event has a key that nobody reads") }
            records.append(try inner.text("id"))
        }
        return records
    }

    package func answer(_ results: [(record: String, result: ServiceResult)]) -> HTTPResponse {
        .json(#"{"text":"Success","code":0}"#)
    }

    package var refusal: ServiceRefusal {
        .whole(.json(#"{"text":"Event field cannot be blank","code":13,"invalid-event-number":0}"#, status: 400))
    }

    package var failures: [DocumentedFailure] {
        [
            DocumentedFailure(
                "incorrect index", 400, #"{"text":"Incorrect index","code":7,"invalid-event-number":1}"#,
                code: "answer_retry", blame: "target"),
            DocumentedFailure(
                "no data channel", 400, #"{"text":"Data channel is missing","code":10}"#, code: "answer_retry",
                blame: "target"),
            DocumentedFailure(
                "invalid data", 400, #"{"text":"Invalid data format","code":6,"invalid-event-number":0}"#,
                blame: "event"),
            DocumentedFailure(
                "success in words only", 200, #"{"text":"Server is busy","code":9}"#, code: "answer_refused",
                blame: "event"),
            DocumentedFailure(
                "invalid authorization", 401, #"{"text":"Invalid authorization","code":3}"#, blame: "target"),
            DocumentedFailure("invalid token", 403, #"{"text":"Invalid token","code":4}"#, blame: "target"),
            DocumentedFailure("internal error", 500, #"{"text":"Internal server error","code":8}"#, blame: "target"),
            DocumentedFailure("busy", 503, #"{"text":"Server is busy","code":9}"#, blame: "target"),
        ]
    }

    /// The objects in it, told apart by their braces.
    private static func parts(_ body: [UInt8]) throws(Undocumented) -> [ArraySlice<UInt8>] {
        var parts: [ArraySlice<UInt8>] = []
        var (depth, start, isText, isEscaped) = (0, 0, false, false)
        for (place, byte) in body.enumerated() {
            if isText {
                if isEscaped {
                    isEscaped = false
                } else if byte == 0x5C {
                    isEscaped = true
                } else if byte == 0x22 {
                    isText = false
                }
                continue
            }
            switch byte {
            case 0x22: isText = true
            case UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "}"):
                depth -= 1
                if depth == 0 {
                    parts.append(body[start...place])
                    start = place + 1
                }
            default: break
            }
        }
        guard start == body.count, !parts.isEmpty else { throw Undocumented("the body is not objects only") }
        return parts
    }
}
