internal import Targets

/// Whether a connection that acknowledges nothing has an open event.
package enum Handover: Sendable, Hashable {
    /// It failed, or was never sent.
    case none
    /// It is among the last that a connection took, by the request of this number.
    case sent(UInt64)
    /// That connection broke, and it was not sent again yet.
    case lost
}

extension OpenEntry {
    /// The reason of an open event that a connection has.
    package static let sent = "sent"

    var isSent: Bool { if case .sent = handover { true } else { false } }

    /// Whether it is due at some time, when it is not in flight.
    var isEverDue: Bool { !waitsForKey && !isSent }
}

/// An event that a connection took, once that is sure.
struct FinishedDelivery: Sendable {
    var receipt: DeliveryReceipt
    /// From the event's receipt until it was sent.
    var afterMs: Int64
}
