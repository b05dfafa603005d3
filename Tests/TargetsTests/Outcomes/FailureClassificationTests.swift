import Events
import HTTPClient
import HTTPTypes
import Testing

@testable import Targets

@Suite("Whose fault a failure is")
struct FailureClassificationTests {
    private static let event: Set<Int> = [400, 409, 413, 415, 422]

    @Test(
        "follows from the status",
        arguments: [
            200, 201, 204, 299, 100, 300, 301, 302, 304, 307, 400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 411,
            412, 413, 414,
            415, 417, 418, 421, 422, 425, 426, 428, 429, 431, 451, 499, 500, 501, 502, 503, 504, 599,
        ])
    func status(status: Int) {
        let response = HTTPClientResponse(status: status, body: Array("no".utf8), duration: .milliseconds(5))
        let outcome = FailureClassification.outcome(response, bytes: 7, now: Timestamp(milliseconds: 0))
        switch outcome {
        case .delivered(let receipt):
            #expect((200..<300).contains(status))
            #expect(receipt == DeliveryReceipt(status: status, duration: .milliseconds(5), bytes: 7))
        case .failed(let failure):
            #expect(!(200..<300).contains(status))
            #expect(failure.code == "http_\(status)" && failure.status == status)
            #expect(failure.blame == (status == 410 ? .gone : Self.event.contains(status) ? .event : .target))
            #expect(failure.message.contains(String(status)))
            #expect(failure.response == Array("no".utf8))
        }
    }

    private func endpoint(_ url: String) throws -> Endpoint {
        let text = "{type: webhook, url: \"\(url)\"}"
        let (blueprint, _) = try decode(text, environment: ["HOST": "secret-host.example", "KEY": "secret-key"])
        return try #require(blueprint as? WebhookBlueprint).request.endpoint
    }

    @Test("is the way's when nothing was answered", arguments: TransportFailure.Code.allCases)
    func transport(code: TransportFailure.Code) throws {
        let failure = FailureClassification.failure(
            TransportFailure(code, "it is so", duration: .seconds(1)), at: try endpoint("https://x.example/${env:KEY}"))
        #expect(failure.code == code.rawValue && failure.message == "it is so" && failure.duration == .seconds(1))
        #expect(failure.blame == (code == .messageSize || code == .request ? .event : .target))
    }

    @Test("is told without the host that a reference stands for")
    func hiddenHost() throws {
        let failure = FailureClassification.failure(
            TransportFailure(.connectRefused, "secret-host.example refused"), at: try endpoint("https://${env:HOST}/x"))
        #expect(failure.message == "https://${env:HOST}/x: connect refused")
    }

    @Test("is the event's when it cannot be written")
    func rendering() {
        let failure = FailureClassification.failure(RenderingError("why"))
        #expect(failure.blame == .event && failure.code == "rendering")
    }

    @Test("keeps only the beginning of an answer")
    func bounded() {
        let response = HTTPClientResponse(status: 400, body: Array(repeating: 0x61, count: 10_000))
        guard case .failed(let failure) = FailureClassification.outcome(response, bytes: 0, now: .now()) else {
            Issue.record("a 400 is a failure")
            return
        }
        #expect(failure.response.count == DeliveryFailure.maximumResponse)
    }
}

@Suite("Retry-After")
struct RetryAfterTests {
    /// Sun, 06 Nov 1994 08:49:37 GMT
    private static let now = Timestamp(milliseconds: 784_111_777_000)

    @Test(
        "takes seconds and all three forms of a date",
        arguments: [
            ("120", Duration.seconds(120)), (" 5", .seconds(5)), ("0", .zero),
            ("Sun, 06 Nov 1994 08:50:07 GMT", .seconds(30)), ("Sunday, 06-Nov-94 08:50:07 GMT", .seconds(30)),
            ("Sun Nov  6 08:50:07 1994", .seconds(30)), ("Sun, 06 Nov 1994 08:40:00 GMT", .zero),
            ("Mon, 07 Nov 1994 08:49:37 GMT", RetryAfter.maximum), ("999999999999999999999999", RetryAfter.maximum),
            ("86400", RetryAfter.maximum),
        ])
    func readable(value: String, delay: Duration) {
        #expect(RetryAfter.delay(value, date: nil, now: Self.now) == delay)
    }

    @Test(
        "that cannot be read is none",
        arguments: [
            "", "-5", "1.5", "soon", "Sun, 06 Nov 1994", "Sun, 31 Feb 1994 08:50:07 GMT",
            "Sun, 06 Nov 1994 25:50:07 GMT",
            "Sun, 06 Nov 1994 08:50:07 CET", "Sun, 06 Nov 94 08:50:07 GMT", "１２０",
        ])
    func unreadable(value: String) {
        #expect(RetryAfter.delay(value, date: nil, now: Self.now) == nil)
    }

    @Test("counts from the answer's own date, so that no clock needs to agree with another")
    func skew() {
        let delay = RetryAfter.delay(
            "Sun, 06 Nov 1994 08:50:07 GMT", date: "Sun, 06 Nov 1994 08:49:57 GMT", now: Timestamp(milliseconds: 0))
        #expect(delay == .seconds(10))
    }

    @Test("comes with a 429 and a 503")
    func honoured() {
        for status in [429, 503] {
            let response = HTTPClientResponse(status: status, headers: ["Retry-After": "7"])
            guard case .failed(let failure) = FailureClassification.outcome(response, bytes: 0, now: Self.now) else {
                Issue.record("\(status) is a failure")
                continue
            }
            #expect(failure.retryAfter == .seconds(7))
        }
    }

    @Test("reads a two-digit year as the nearest one, not more than 50 years ahead")
    func century() {
        let now = Timestamp("2026-01-01T00:00:00Z")!
        #expect(HTTPDate.seconds("Sunday, 06-Nov-94 08:49:37 GMT", now: now) == 784_111_777)
        #expect(
            HTTPDate.seconds("Friday, 06-Nov-26 00:00:00 GMT", now: now) == Timestamp("2026-11-06T00:00:00Z")!
                .milliseconds / 1000)
    }
}
