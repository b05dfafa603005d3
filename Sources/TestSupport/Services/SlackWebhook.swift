import Foundation
package import HTTPTypes

/// Slack's incoming webhook: one message, 200 and the word ok.
package struct SlackWebhook: DocumentedService {
    package let preset = "slack"
    private static let path = "/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"

    package init() {}

    package func keys(origin: String) -> String {
        #"url: "\#(origin)\#(Self.path)", text: "{id} {visitor.name|slack}", rate: 1000/s"#
    }

    package func read(_ request: ServiceRequest) throws(Undocumented) -> [String] {
        try request.expect("POST", Self.path, contentType: "application/json")
        let body = try request.object()
        let text = try body.text("text")
        guard !text.contains("<"), !text.contains(">") else { throw Undocumented("a text could call people") }
        let entities = text.split(separator: "&", omittingEmptySubsequences: false).dropFirst()
        guard entities.allSatisfy({ $0.hasPrefix("amp;") || $0.hasPrefix("lt;") || $0.hasPrefix("gt;") }) else {
            throw Undocumented("an & is no entity")
        }
        guard body["unfurl_links"] as? Bool == false else { throw Undocumented("links in names are followed") }
        return [String(text.prefix { $0 != " " })]
    }

    package func answer(_ results: [(record: String, result: ServiceResult)]) -> HTTPResponse { .text("ok") }

    package var refusal: ServiceRefusal { .whole(.text("invalid_payload", status: 400)) }

    package var failures: [DocumentedFailure] {
        func word(
            _ word: String, _ status: Int, says: String? = nil, blame: String = "target", retryAfter: Int? = nil
        ) -> DocumentedFailure {
            DocumentedFailure("\(word) \(status)", status, word, code: says, blame: blame, retryAfter: retryAfter)
        }
        let setUp = [
            "user_not_found", "no_service", "no_service_id", "no_active_hooks", "no_team", "team_disabled",
            "invalid_token", "channel_not_found", "action_prohibited", "posting_to_general_channel_denied",
        ]
        return [
            word("invalid_payload", 400, blame: "event"), word("no_text", 400, blame: "event"),
            word("action_prohibited", 403), word("posting_to_general_channel_denied", 403),
            word("channel_not_found", 404), word("no_service", 404), word("channel_is_archived", 410, blame: "gone"),
            word("rate_limited", 429, retryAfter: 30), word("rollup_error", 500),
        ] + setUp.map { word($0, 400, says: "answer_retry") }
    }
}
