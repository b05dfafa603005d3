import Events
import HTTPClient
import Testing

@testable import Targets

@Suite("Advice to who configures a target that fails")
struct FailureAdviceTests {
    @Test("is there whatever failed on the way", arguments: TransportFailure.Code.allCases)
    func transport(code: TransportFailure.Code) {
        let failure = DeliveryFailure(
            code: code.rawValue, message: "", blame: FailureClassification.blame(code))
        #expect(FailureAdvice.known(failure) != nil)
        #expect(FailureAdvice.text(for: failure).hasSuffix("."))
    }

    @Test(
        "is there for what a target, a token endpoint or a broker says",
        arguments: [
            "answer_refused", "answer_retry", "bad_response", "no_result", "oauth_bad_response", "oauth_busy",
            "oauth_key", "oauth_timeout", "oauth_tls_untrusted", "oauth_http_500", "target_closed", "target_busy",
            "disk_full", "file_open", "file_write", "file_sync", "file_not_regular", "file_locked", "rendering",
            "connection_lost", "kafka_msg_timed_out",
        ] + TokenAnswer.errors.map { "oauth_\($0)" })
    func codes(code: String) {
        #expect(FailureAdvice.known(DeliveryFailure(code: code, message: "", blame: .target)) != nil)
    }

    @Test("is there for each status that is none of success")
    func statuses() {
        for status in 300..<600 {
            let response = HTTPClientResponse(status: status, body: [])
            let outcome = FailureClassification.outcome(response, bytes: 0, now: Timestamp(milliseconds: 0))
            #expect(outcome.failure.flatMap(FailureAdvice.known) != nil, "\(status)")
        }
    }
}
