import Events
import HTTPClient
import HTTPTypes

/// Whose fault a failure is: one table for all targets.
enum FailureClassification {
    /// Nil for success.
    static func blame(status: Int) -> Blame? {
        switch status {
        case 200..<300: nil
        case 410: .gone
        case 400, 409, 413, 415, 422: .event
        default: .target
        }
    }

    /// What an HTTP answer means.
    /// - Parameters:
    ///   - bytes: the size of the body that was sent.
    ///   - judge: what reads an answer of 2xx; nil: it says that all was taken.
    static func outcome(
        _ response: HTTPClientResponse, bytes: Int, now: Timestamp, judge: ResponseJudge?
    ) -> BatchOutcome {
        if let judge, judge.predicate.taken.contains(response.status) {
            return .all(
                .delivered(DeliveryReceipt(status: response.status, duration: response.duration, bytes: bytes)))
        }
        guard blame(status: response.status) == nil, let judge, judge.predicate.reads(response.status) else {
            let whole = outcome(response, bytes: bytes, now: now)
            return .all(judge?.predicate.refused?.reading(response, whole) ?? whole)
        }
        let receipt = DeliveryReceipt(status: response.status, duration: response.duration, bytes: bytes)
        return judge.outcome(response, receipt, now: now)
    }

    /// What an HTTP answer means by its status.
    static func outcome(_ response: HTTPClientResponse, bytes: Int, now: Timestamp) -> DeliveryOutcome {
        guard let blame = blame(status: response.status) else {
            return .delivered(DeliveryReceipt(status: response.status, duration: response.duration, bytes: bytes))
        }
        return .failed(
            DeliveryFailure(
                code: "http_\(response.status)", message: sentence(status: response.status), blame: blame,
                status: response.status, retryAfter: RetryAfter.delay(response, now: now), duration: response.duration,
                response: response.body))
    }

    /// Nothing about the way to the receiver says anything about the event, except that it does not fit through.
    static func blame(_ code: TransportFailure.Code) -> Blame {
        switch code {
        case .messageSize, .request: .event
        default: .target
        }
    }

    /// - Parameter endpoint: where it was sent to; what the client says of it is told only where it may be named.
    static func failure(_ failure: TransportFailure, at endpoint: Endpoint) -> DeliveryFailure {
        let message =
            endpoint.hidesHost ? "\(endpoint.display): \(words(failure.code))" : failure.message
        return DeliveryFailure(
            code: failure.code.rawValue, message: message, blame: blame(failure.code), duration: failure.duration)
    }

    private static func words(_ code: TransportFailure.Code) -> String {
        code.rawValue.replacing("_", with: " ")
    }

    static func failure(_ error: RenderingError) -> DeliveryFailure {
        DeliveryFailure(code: "rendering", message: "the event could not be written: \(error.message)", blame: .event)
    }

    static let closed = DeliveryFailure(
        code: "target_closed", message: "the target was closed before it sent this", blame: .target)

    private static func sentence(status: Int) -> String {
        switch status {
        case 300..<400:
            "the receiver answered \(status), a redirect, which is never followed: configure the new address"
        case 401, 403: "the receiver answered \(status): it does not accept these credentials"
        case 404: "the receiver answered 404: there is nothing at this URL"
        case 410: "the receiver answered 410: it wants no more events"
        case 400, 409, 413, 415, 422: "the receiver answered \(status): it does not take this event"
        case 429: "the receiver answered 429: too many requests"
        default: "the receiver answered \(status)"
        }
    }
}
