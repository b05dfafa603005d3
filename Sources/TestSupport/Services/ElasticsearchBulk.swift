package import HTTPTypes

/// `POST /_bulk`: a line that says what is done, a line with the document; 200 with an item for each.
package struct ElasticsearchBulk: DocumentedService {
    package let preset = "elasticsearch"

    package init() {}

    package func keys(origin: String) -> String {
        #"endpoint: "\#(origin)", index: visits-gate, api_key: "VnVhQ2ZHY0JDZGJrUW0tZTVhT3g=""#
    }

    package func read(_ request: ServiceRequest) throws(Undocumented) -> [String] {
        try request.expect("POST", "/_bulk", contentType: "application/x-ndjson")
        try request.expect(header: "Authorization", "ApiKey VnVhQ2ZHY0JDZGJrUW0tZTVhT3g=")
        guard request.body.count <= 100 << 20 else { throw .tooLarge }
        guard request.body.last == 0x0A else { throw Undocumented("the last line has no end") }
        let lines = request.body.dropLast().split(separator: 0x0A, omittingEmptySubsequences: false)
        guard lines.count.isMultiple(of: 2) else { throw Undocumented("a line is missing") }
        var records: [String] = []
        for place in stride(from: 0, to: lines.count, by: 2) {
            let create = try ServiceRequest.object(lines[place]).object("create")
            guard try create.text("_index") == "visits-gate" else { throw Undocumented("another index") }
            let document = try ServiceRequest.object(lines[place + 1])
            // A data stream has no document without it.
            _ = try document.text("@timestamp")
            guard try document.object("ecs").text("version").hasPrefix("8.") else { throw Undocumented("it is no ECS") }
            let id = try create.text("_id")
            guard try document.object("event").text("id") == id else {
                throw Undocumented("the id is of another event")
            }
            records.append(id)
        }
        return records
    }

    package func answer(_ results: [(record: String, result: ServiceResult)]) -> HTTPResponse {
        let items = results.map { record, result in
            let rest =
                switch result {
                case .taken: #""result":"created","status":201"#
                case .known: #""status":409,"error":{"type":"version_conflict_engine_exception"}"#
                case .busy: #""status":429,"error":{"type":"es_rejected_execution_exception"}"#
                case .refused: #""status":400,"error":{"type":"document_parsing_exception"}"#
                }
            return #"{"create":{"_index":"visits-gate","_id":"\#(record)",\#(rest)}}"#
        }
        let hasErrors = results.contains { $0.result != .taken }
        return .json(#"{"took":3,"errors":\#(hasErrors),"items":[\#(items.joined(separator: ","))]}"#)
    }

    package let refusal = ServiceRefusal.each

    package var failures: [DocumentedFailure] {
        func error(_ name: String, _ status: Int, _ type: String, blame: String = "target") -> DocumentedFailure {
            DocumentedFailure(
                name, status, #"{"error":{"type":"\#(type)","reason":"no"},"status":\#(status)}"#, blame: blame)
        }
        func item(_ name: String, _ status: Int, _ type: String, blame: String = "target") -> DocumentedFailure {
            DocumentedFailure(
                name, 200,
                #"{"errors":true,"items":[{"create":{"_id":"x","status":\#(status),"error":{"type":"\#(type)"}}}]}"#,
                code: blame == "event" ? "answer_refused" : "answer_retry", blame: blame)
        }
        return [
            error("not understood", 400, "action_request_validation_exception", blame: "event"),
            error("not authenticated", 401, "security_exception"), error("not allowed", 403, "security_exception"),
            error("too large", 413, "content_too_long_exception", blame: "event"),
            error("full queue", 429, "es_rejected_execution_exception"),
            error("out of memory", 429, "circuit_breaking_exception"), error("internal error", 500, "exception"),
            error("no master", 503, "master_not_discovered_exception"), error("gateway timeout", 504, "timeout"),
            item("a field of another type", 400, "document_parsing_exception", blame: "event"),
            item("no new fields", 400, "strict_dynamic_mapping_exception", blame: "event"),
            item("no right to the index", 403, "security_exception"),
            item("index blocked", 403, "cluster_block_exception"),
            item("disk past its flood stage", 429, "cluster_block_exception"),
            item("full queue of the shard", 429, "es_rejected_execution_exception"),
            item("no such index", 404, "index_not_found_exception"),
            item("no shard", 503, "unavailable_shards_exception"),
        ]
    }
}
