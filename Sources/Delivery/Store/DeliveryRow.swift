package import EventLog
package import Events
package import JSON

/// Which deliveries are listed; nil takes every one.
package struct DeliveryFilter: Sendable {
    package var target: String?
    package var source: String?
    package var type: String?
    /// Of events received at or after, milliseconds.
    package var sinceMs: Int64?
    /// Of events received before, milliseconds.
    package var untilMs: Int64?
    package var event: EventID?
    package var state: DeliveryState?

    package init() {}
}

/// What became of one event at one target.
package struct DeliveryRow: Sendable, Hashable {
    package struct LastAttempt: Sendable, Hashable {
        /// The wall clock, milliseconds.
        package var atMs: Int64
        package var status: Int?
        /// A failure's stable code, or why it was filtered.
        package var reason: String?
        package var durationMs: Int64
    }

    package var event: EventID
    package var place: RecordPlace
    /// The row of the target, or of the replay.
    package var targetID: Int64 = 0
    package var target: String
    /// The number of the replay that sent it there once more; nil for the target's own delivery.
    package var replay: Int64?
    package var type: String
    package var source: String
    package var receivedAtMs: Int64
    package var state: DeliveryState
    package var attempts: Int
    /// Nil when nothing was tried.
    package var last: LastAttempt?
    package var nextAtMs: Int64?
    package var routes: [String]
    /// For filtered ones: the plan that did not take it.
    package var plan: String?
    /// Why it was filtered: `no_route`.
    package var reason: String?

    /// A connection that acknowledges nothing took it, as the last attempt says, and may yet lose it.
    package var isSent: Bool { state == .pending && last?.reason == OpenEntry.sent }

    /// `{event, target, state, attempts, last: {at, status, reason, duration_ms}, next_at, routes}` and more.
    /// - Parameter further: members behind these.
    package func appendJSON(to writer: inout JSONWriter, further: (inout JSONWriter) -> Void = { _ in }) {
        writer.beginObject()
        writer.member("event", event.hex)
        writer.member("type", type)
        writer.member("source", source)
        writer.member("received_at", Timestamp(milliseconds: receivedAtMs).text)
        writer.member("target", target)
        if let replay { writer.member("replay", replay) }
        writer.member("state", state.name)
        if let reason { writer.member("reason", reason) }
        if let plan { writer.member("plan", plan) }
        writer.member("attempts", Int64(attempts))
        writer.key("last")
        if let last { Self.append(last, to: &writer) } else { writer.null() }
        writer.member("next_at", nextAtMs.map { Timestamp(milliseconds: $0).text })
        writer.key("routes")
        writer.strings(routes)
        further(&writer)
        writer.endObject()
    }

    private static func append(_ last: LastAttempt, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("at", Timestamp(milliseconds: last.atMs).text)
        writer.member("status", last.status.map(Int64.init))
        writer.member("reason", last.reason)
        writer.member("duration_ms", last.durationMs)
        writer.endObject()
    }
}

/// A part of a list, oldest first.
package struct DeliveryPage: Sendable {
    package var rows: [DeliveryRow]
    /// Where the next part begins; nil at the end. A page may be empty and yet not the last one.
    package var next: String?
}
