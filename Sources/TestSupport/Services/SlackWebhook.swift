import Foundation
package import HTTPTypes

/// Slack's incoming webhook: one message, 200 and the word ok.
package struct SlackWebhook: DocumentedService {
    package let preset = "slack"
    private static let path = "/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"

    package init() {}

    package func keys(origin: String) -> String {
        #"webhook_url: "\#(origin)\#(Self.path)", text: "{id} {visitor.name|slack}", rate: 1000/s"#
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
        [
            DocumentedFailure("not valid", 400, "invalid_payload", blame: "event"),
            DocumentedFailure("prohibited", 403, "action_prohibited", blame: "target"),
            DocumentedFailure("no such channel", 404, "channel_not_found", blame: "target"),
            DocumentedFailure("archived", 410, "channel_is_archived", blame: "gone"),
            DocumentedFailure("too many", 429, "rate_limited", blame: "target", retryAfter: 30),
            DocumentedFailure("rollup", 500, "rollup_error", blame: "target"),
        ]
    }
}
