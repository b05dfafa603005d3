package import Events
internal import JSON
internal import Synchronization

/// One marked sample on its way to a target, for people who want to see what is sent and what comes back.
package final class TargetTest: Sendable {
    private let rendition = Mutex<TargetRendition?>(nil)
    private let token = Mutex<TokenExchange?>(nil)

    private init() {}

    /// What goes out now; nil: nothing does after all.
    func sends(_ rendition: TargetRendition?) {
        self.rendition.withLock { $0 = rendition }
    }

    /// What the target's token endpoint was last asked.
    func asked(_ exchange: TokenExchange?) {
        token.withLock { $0 = exchange }
    }

    /// Sends a sample as the target would send any event: alone, or as a batch of one. It is counted nowhere.
    /// - Parameter completion: called once, on any thread.
    package static func run(
        _ target: any Target, _ settings: TargetSettings, now: Timestamp,
        completion: @escaping @Sendable (TargetTestReport) -> Void
    ) {
        let test = TargetTest()
        let outgoing = OutgoingEvent(
            event: SampleEvent.make(now: now), routes: ["gatehouse-test"], test: test)
        @Sendable func report(_ outcome: DeliveryOutcome) {
            completion(
                TargetTestReport(
                    target: settings.name, type: settings.type, event: outgoing.event.attribute("id") ?? "",
                    token: test.token.withLock { $0 }, sent: test.rendition.withLock { $0 }, outcome: outcome))
        }
        guard settings.batch != nil else { return target.send(outgoing, completion: report) }
        target.send(batch: [outgoing]) { outcome in
            switch outcome {
            case .all(let outcome): report(outcome)
            case .each(let outcomes): report(outcomes[0])
            }
        }
    }
}

/// How a target took the sample.
package struct TargetTestReport: Sendable {
    package var target: String
    package var type: String
    /// The sample's id.
    package var event: String
    /// Nil for a target that asks for no access token.
    var token: TokenExchange?
    /// Nil when it could not be rendered, or was not sent at all.
    package var sent: TargetRendition?
    package var outcome: DeliveryOutcome

    /// `{target, type, event, delivered, duration_ms, status, reason, message, advice, token: {request: {destination,
    /// method, headers, body}, status, answer, duration_ms, age_seconds}, request: {destination, method, headers, body},
    /// answer: {headers, body, cut}}`; null where there is none.
    package var json: [UInt8] {
        var writer = JSONWriter(reserving: 4096)
        writer.beginObject()
        writer.member("target", target)
        writer.member("type", type)
        writer.member("event", event)
        let (receipt, failure) =
            switch outcome {
            case .delivered(let receipt): (Optional(receipt), DeliveryFailure?.none)
            case .failed(let failure): (nil, failure)
            }
        writer.key("delivered")
        writer.bool(receipt != nil)
        writer.key("duration_ms")
        let duration = receipt?.duration ?? failure?.duration ?? .zero
        writer.integer(Int64(duration / .milliseconds(1)))
        writer.key("status")
        if let status = receipt?.status ?? failure?.status { writer.integer(Int64(status)) } else { writer.null() }
        writer.member("reason", failure?.code)
        writer.member("message", failure?.message)
        writer.member("advice", failure.map { FailureAdvice.text(for: $0) })
        writer.key("token")
        if let token { Self.append(token, to: &writer) } else { writer.null() }
        writer.key("request")
        if let sent { Self.append(sent, to: &writer) } else { writer.null() }
        writer.key("answer")
        if let answer = (receipt?.exchange ?? failure?.exchange)?.answer {
            Self.append(answer, to: &writer)
        } else {
            writer.null()
        }
        writer.endObject()
        return writer.bytes
    }

    private static func append(_ token: TokenExchange, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("request")
        append(
            TargetRendition(method: "POST", destination: token.destination, headers: token.headers, bytes: token.form),
            to: &writer)
        writer.key("status")
        if let status = token.status { writer.integer(Int64(status)) } else { writer.null() }
        writer.key("answer")
        if token.answer.isEmpty { writer.null() } else { writer.raw(token.answer) }
        writer.key("duration_ms")
        writer.integer(Int64(token.duration / .milliseconds(1)))
        writer.key("age_seconds")
        writer.integer(Int64((ContinuousClock.now - token.endedAt) / .seconds(1)))
        writer.endObject()
    }

    private static func append(_ sent: TargetRendition, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("destination", sent.destination)
        writer.member("method", sent.method)
        append(sent.headers, to: &writer)
        writer.key("body")
        writer.string(utf8: sent.bytes)
        writer.endObject()
    }

    private static func append(_ answer: Answer, to writer: inout JSONWriter) {
        writer.beginObject()
        append(answer.headers, to: &writer)
        writer.key("body")
        writer.string(utf8: answer.body)
        writer.key("cut")
        writer.bool(answer.isCut)
        writer.endObject()
    }

    private static func append(_ headers: [TargetRendition.Header], to writer: inout JSONWriter) {
        writer.key("headers")
        writer.beginArray()
        for header in headers {
            writer.beginObject()
            writer.member("name", header.name)
            writer.member("value", header.value)
            writer.endObject()
        }
        writer.endArray()
    }
}
