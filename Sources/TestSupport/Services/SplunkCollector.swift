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

    /// A queue that fills up is a warning.
    package let successes = [24, 25].map {
        HTTPResponse.json(#"{"text":"approaching its capacity limit","code":\#($0)}"#)
    }

    package var failures: [DocumentedFailure] {
        func failure(
            _ code: Int, _ status: Int, _ text: String, says: String? = nil, blame: String = "target"
        ) -> DocumentedFailure {
            let place = status == 400 && blame == "event" ? #","invalid-event-number":0"# : ""
            return DocumentedFailure(
                "\(code): \(text)", status, #"{"text":"\#(text)","code":\#(code)\#(place)}"#, code: says, blame: blame)
        }
        return [
            failure(1, 403, "Token disabled"), failure(2, 401, "Token is required"),
            failure(3, 401, "Invalid authorization"), failure(4, 403, "Invalid token"),
            failure(5, 400, "No data", blame: "event"), failure(6, 400, "Invalid data format", blame: "event"),
            failure(7, 400, "Incorrect index", says: "answer_retry"), failure(8, 500, "Internal server error"),
            failure(9, 503, "Server is busy"), failure(10, 400, "Data channel is missing", says: "answer_retry"),
            failure(11, 400, "Invalid data channel", says: "answer_retry"),
            failure(12, 400, "Event field is required", blame: "event"),
            failure(13, 400, "Event field cannot be blank", blame: "event"),
            failure(14, 400, "ACK is disabled", says: "answer_retry"),
            failure(15, 400, "Error in handling indexed fields", blame: "event"),
            failure(16, 400, "Query string authorization is not enabled", says: "answer_retry"),
            failure(18, 503, "HEC is unhealthy, queues are full"),
            failure(19, 503, "HEC is unhealthy, ack service unavailable"),
            failure(20, 503, "HEC is unhealthy, queues are full, ack service unavailable"),
            failure(21, 400, "Invalid token", says: "answer_retry"),
            failure(22, 400, "Token disabled", says: "answer_retry"), failure(23, 503, "Server is shutting down"),
            failure(26, 429, "HEC queue is at capacity and cannot process any more requests"),
            failure(27, 429, "HEC ACK channel is at capacity and cannot process any more requests"),
            // A proxy's status over a collector's answer.
            failure(9, 200, "Server is busy, though answered with 200", says: "answer_retry"),
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
