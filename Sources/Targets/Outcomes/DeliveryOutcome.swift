/// How one attempt to send one event ended.
package enum DeliveryOutcome: Sendable, Hashable {
    case delivered(DeliveryReceipt)
    case failed(DeliveryFailure)
}

/// How one attempt to send several events in one request ended.
package enum BatchOutcome: Sendable, Hashable {
    case all(DeliveryOutcome)
    /// The receiver answered for each of them, in the order they were sent.
    case each([DeliveryOutcome])
}

package struct DeliveryReceipt: Sendable, Hashable {
    /// The receiver's HTTP status, where it has one.
    package var status: Int?
    package var duration: Duration
    /// The size of what was sent: the body, or the message with its framing.
    package var bytes: Int
    /// Nil when nothing is known of it.
    package var exchange: Exchange?
    /// The connection that took it, where no receiver answers and what the connection took last is watched; else nil.
    package var connection: StreamConnection?

    package init(status: Int? = nil, duration: Duration, bytes: Int, exchange: Exchange? = nil) {
        self.status = status
        self.duration = duration
        self.bytes = bytes
        self.exchange = exchange
    }
}

/// Whose fault a failure is, which decides what happens next.
package enum Blame: String, Sendable, Hashable, CaseIterable {
    /// This event: a few tries, then the dead letters.
    case event
    /// The receiver or the way to it: the event waits.
    case target
    /// The receiver says that it is gone for good (410): the target is switched off, visibly.
    case gone
}

/// Why an attempt failed.
package struct DeliveryFailure: Error, Sendable, Hashable {
    /// Stable: people's scripts rely on it. Such as `connect_refused`, `timeout`, `tls_name`, `http_500`, `rendering`.
    package var code: String
    /// For people. Holds no personal data and no secret.
    package var message: String
    package var blame: Blame
    /// The receiver's HTTP status, where it answered.
    package var status: Int?
    /// How long the receiver asked to be left alone, already bounded.
    package var retryAfter: Duration?
    package var duration: Duration
    /// The beginning of the receiver's answer, at most `maximumResponse` bytes. It may repeat what was sent to it, so it
    /// belongs with the dead letters and never in a log.
    package var response: [UInt8]
    /// Nil when nothing was rendered.
    package var exchange: Exchange?

    package static let maximumResponse = 2048

    package init(
        code: String, message: String, blame: Blame, status: Int? = nil, retryAfter: Duration? = nil,
        duration: Duration = .zero, response: [UInt8] = [], exchange: Exchange? = nil
    ) {
        self.code = code
        self.message = message
        self.blame = blame
        self.status = status
        self.retryAfter = retryAfter
        self.duration = duration
        self.response = Array(response.prefix(Self.maximumResponse))
        self.exchange = exchange
    }
}
