import Events
import HTTPClient
import HTTPTypes
import JSON
import Testing

@testable import Targets

@Suite("Batches")
struct BatchTests {
    static let ids = ["0000000000000000000000000000000a", "0000000000000000000000000000000b"]

    static func outgoing() throws -> [OutgoingEvent] {
        try ids.map { id in
            let text =
                #"{"id":"\#(id)","type":"visitor.signin","data":{"visitor":{"name":"A \"B\"],["},"original":{"n":1}}}"#
            return OutgoingEvent(
                event: try #require(try EventView(parsing: Array(text.utf8), with: JSONParser())), routes: ["desk"])
        }
    }

    @Test("batch, rate and order are read, for the types that take them")
    func decoding() throws {
        let (blueprint, messages) = try decode(
            """
            {type: webhook, url: "https://x.example/", rate: 190/10s, order: key,
             batch: {max_events: 20000, max_bytes: 4MiB, every: 20m}}
            """)
        #expect(messages == [])
        let settings = try #require(blueprint?.settings)
        #expect(settings.rate == RateLimit(amount: 190, period: .seconds(10)))
        #expect(settings.order == .key)
        #expect(settings.batch?.maximumEvents == 20_000 && settings.batch?.maximumBytes == 4 << 20)
        #expect(settings.batch?.every == .seconds(1200))
    }

    @Test(
        "a rate is a number of requests for a period",
        arguments: [
            ("100/s", 100, 1), ("190/10s", 190, 10), ("5/m", 5, 60), ("1/24h", 1, 86_400), ("1000000/s", 1_000_000, 1),
        ])
    func rates(_ row: (text: String, amount: Int, seconds: Int)) {
        #expect(RateLimit(row.text) == RateLimit(amount: row.amount, period: .seconds(row.seconds)))
    }

    @Test(
        "what is no rate, order or batch is refused",
        arguments: [
            "rate: 100", "rate: 0/s", "rate: 1/0s", "rate: 1/25h", "rate: 1/2d", "rate: -1/s", "rate: 1.5/s",
            "rate: 1/s/s", "rate: /s", "rate: \"1/\"", "rate: 1000001/s", "rate: 1/99999999999999999999s",
            "order: visitor", "batch: {max_events: 0}", "batch: {max_events: 20001}", "batch: {max_bytes: 1}",
            "batch: {max_bytes: 17MiB}", "batch: {every: 21m}", "batch: {events: 3}", "batch: 3",
        ])
    func refused(key: String) throws {
        let (blueprint, messages) = try decode("{type: webhook, url: \"https://x.example/\", \(key)}")
        #expect(blueprint == nil && messages.count == 1, "\(messages)")
    }

    @Test(
        "only requests with a body of JSON go together",
        arguments: [
            "{type: webhook, url: \"https://x.example/\", body: cloudevent-binary, batch: {}}",
            "{type: http, url: \"https://x.example/\", method: GET, batch: {}}",
            "{type: syslog, address: \"tls://x.example\", batch: {}}", "{type: file, path: x, batch: {}}",
        ])
    func types(text: String) throws {
        let (blueprint, messages) = try decode(text)
        #expect(blueprint == nil && messages.count == 1, "\(messages)")
    }

    @Test("a webhook's batch is an array of its bodies, signed as it is sent, under one id that is the same every time")
    func webhook() throws {
        let (decoded, _) = try decode(
            """
            {type: webhook, url: "https://x.example/", batch: {},
             sign: {scheme: standard-webhooks, secrets: ["\(Receiver.secret)"]}}
            """)
        let blueprint = try #require(decoded as? WebhookBlueprint)
        let batch = try Self.outgoing()
        let fixed = blueprint.request.headers(contentType: blueprint.contentType)
        let request = try blueprint.render(batch, headers: fixed, timestampSeconds: 1_614_265_330)
        let expected = "[" + batch.map { text($0.event.payload) }.joined(separator: ",") + "]"
        #expect(text(request.body) == expected)
        #expect(request.headers["Content-Type"] == "application/cloudevents-batch+json; charset=utf-8")
        let id = try #require(request.headers["webhook-id"])
        #expect(id.count == 32 && !Self.ids.contains(id))
        let again = try blueprint.render(batch, headers: fixed, timestampSeconds: 1_614_265_999)
        #expect(again.headers["webhook-id"] == id)
        #expect(again.headers["webhook-signature"] != request.headers["webhook-signature"])
        let other = try blueprint.render(
            batch.reversed(), headers: fixed, timestampSeconds: 1_614_265_330)
        #expect(other.headers["webhook-id"] != id)
        let single = try blueprint.render(
            [batch[0]], headers: fixed, timestampSeconds: 1_614_265_330)
        #expect(single.headers["webhook-id"] == Self.ids[0])
        #expect(single.body.first == UInt8(ascii: "[") && single.body.last == UInt8(ascii: "]"))
    }

    @Test("an http target's batch is an array of templates, and stays JSON whatever a visitor typed")
    func http() throws {
        let (decoded, messages) = try decode(
            "{type: http, url: \"https://x.example/\", batch: {}, body: {name: \"{visitor.name}\"}}")
        #expect(messages == [])
        let blueprint = try #require(decoded as? HTTPBlueprint)
        let request = try blueprint.render(try Self.outgoing(), headers: HeaderFields([]), timestampSeconds: 0)
        let tape = try JSONParser().parse(request.body)
        #expect(tape.elements(tape.root).count { _ in true } == 2)
        for element in tape.elements(tape.root) {
            #expect(tape.member(element, "name").flatMap { tape.text($0) } == "A \"B\"],[")
        }
        #expect(request.headers["Idempotency-Key"]?.count == 32)
    }

    @Test("a target without batches of its own sends each event by itself and tells of each, in their order")
    func each() async throws {
        let target = Fickle()
        let batch = try Self.outgoing()
        let outcome = await withCheckedContinuation { continuation in
            target.send(batch: batch) { continuation.resume(returning: $0) }
        }
        guard case .each(let outcomes) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(outcomes == [.failed(FailureClassification.closed), Fickle.success])
    }
}

/// Refuses every first event and answers the others at once.
private final class Fickle: Target {
    static let success = DeliveryOutcome.delivered(DeliveryReceipt(duration: .zero, bytes: 1))

    func send(_ outgoing: OutgoingEvent, completion: @escaping @Sendable (DeliveryOutcome) -> Void) {
        let isFirst = outgoing.event.attribute("id") == BatchTests.ids[0]
        completion(isFirst ? .failed(FailureClassification.closed) : Self.success)
    }

    func close() {}
}
