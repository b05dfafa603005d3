package import EventLog
internal import Events
package import JSON

/// Whether a target takes events now.
package enum TargetStanding: Sendable, Hashable {
    case running
    /// Nothing, or only a probe, is sent before the moment of the wall clock; nil until something else changes.
    case waiting(why: String, untilMs: Int64?)
    /// By configuration (`enabled: false`), or by what the target answered: the failure's code.
    case disabled(why: String)
    case paused
    case removed
    /// No instance is running.
    case stopped

    package var name: String {
        switch self {
        case .running: "running"
        case .waiting: "waiting"
        case .disabled: "disabled"
        case .paused: "paused"
        case .removed: "removed"
        case .stopped: "stopped"
        }
    }

    package var reason: String? {
        switch self {
        case .waiting(let why, _), .disabled(let why): why
        default: nil
        }
    }

    package var untilMs: Int64? {
        if case .waiting(_, let until) = self { until } else { nil }
    }
}

/// One target as `targets list` shows it.
package struct TargetStatus: Sendable, Hashable {
    package var name: String
    package var type: String
    /// Where it sends to, for people; no secrets.
    package var destination: String
    /// As configured; nil also where no instance runs.
    package var description: String?
    package var standing: TargetStanding
    package var balance: TargetBalance
    /// Events being sent now, and those that failed and wait for another try.
    package var inFlight: Int
    package var open: Int
    /// Of `open`, those that a connection without acknowledgements took last: see `SentWindows`.
    package var sent = 0
    /// Events the position has not passed.
    package var lagEvents: Int64
    /// How long the oldest pending event has waited since it was received, in seconds.
    package var lagSeconds: Double
    /// The stable code of the last failure by the target's fault, until the next success.
    package var lastError: String?

    /// `{name, type, destination, description, state, reason, until, delivered, filtered, pending, dead, discarded, expired, repeated,
    /// filtered_by: {no_route, no_consent, no_key, opted_out, event_not_enabled}, in_flight, open, sent, lag_events, lag_seconds, last_error}`
    package func appendJSON(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("name", name)
        writer.member("type", type)
        writer.member("destination", destination)
        writer.member("description", description)
        writer.member("state", standing.name)
        writer.member("reason", standing.reason)
        writer.member("until", standing.untilMs.map { Timestamp(milliseconds: $0).text })
        balance.appendMembers(to: &writer)
        balance.appendReasons(to: &writer)
        writer.member("in_flight", Int64(inFlight))
        writer.member("open", Int64(open))
        writer.member("sent", Int64(sent))
        writer.member("lag_events", lagEvents)
        writer.key("lag_seconds")
        writer.double((lagSeconds * 1000).rounded() / 1000)
        writer.member("last_error", lastError)
        writer.endObject()
    }

    /// The targets of an instance that is not running.
    package static func stopped(
        store: DeliveryStore, log: any LogReader, statistics: LogStatistics
    ) throws -> [TargetStatus] {
        let now = Moment.now()
        return try store.targets().map { target in
            TargetStatus(
                name: target.name, type: target.type, destination: target.destination,
                standing: standing(of: target),
                balance: TargetBalance(
                    target, target.cursor, open: target.openCount, log: log, head: log.head,
                    systemEver: statistics.system),
                inFlight: 0, open: Int(target.openCount),
                lagEvents: log.count(from: target.cursor.position, to: log.head),
                lagSeconds: LogLag.seconds(log, at: target.cursor.lowest, nowMs: now.wallMs), lastError: nil)
        }
    }

    private static func standing(of target: StoredTarget) -> TargetStanding {
        if target.isRemoved { return .removed }
        if target.cursor.isPaused { return .paused }
        return target.cursor.disabledReason.map { .disabled(why: $0) } ?? .stopped
    }
}

/// How far behind the head of the log a position is.
enum LogLag {
    /// The age of the first event at or after the position, in seconds; 0 at the head.
    static func seconds(_ log: any LogReader, at position: LogPosition, nowMs: Int64) -> Double {
        guard !position.isAtEnd(of: log.head),
            let first = try? log.read(from: position, maximumRecords: 1, maximumBytes: 1).records.first
        else { return 0 }
        return Double(max(0, nowMs - first.receivedAtMs)) / 1000
    }
}
