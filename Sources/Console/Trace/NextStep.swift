internal import Delivery
internal import Events

/// What happens next to an event at a target, in words.
enum NextStep {
    static func text(_ row: DeliveryRow, _ status: TargetStatus?) -> String {
        switch row.state {
        case .delivered, .filtered, .discarded, .expired: "nothing more"
        case .dead: "nothing by itself: it is among the dead letters until somebody requeues or discards it"
        case .pending: pending(row, status)
        }
    }

    private static func pending(_ row: DeliveryRow, _ status: TargetStatus?) -> String {
        guard let status else { return "it waits: the target is not there" }
        if row.isSent, status.standing != .stopped, status.standing != .removed {
            return
                "a connection took it\(at(row.last?.atMs, "at")); it is delivered when newer events have pushed it out, or the connection has stood long enough after it (`resend:`)"
        }
        switch status.standing {
        case .paused: return "it waits until `targets resume \(row.target)`"
        case .disabled(let why):
            return
                "it waits: the target is disabled (\(why)) until `targets resume \(row.target)` or another configuration"
        case .removed: return "it waits: the target is no longer configured"
        case .stopped: return "it waits: no instance is running"
        case .waiting(let why, let until):
            return "it waits: the target is not tried\(at(until, "before")) after \(why)"
        case .running:
            if row.nextAtMs != nil { return "it is tried again\(at(row.nextAtMs, "at"))" }
            if row.attempts > 0 { return "it is tried again" }
            return status.lagEvents > 0 ? "it is sent after the events before it" : "it is on its way"
        }
    }

    private static func at(_ milliseconds: Int64?, _ word: String) -> String {
        milliseconds.map { " \(word) \(Timestamp(milliseconds: $0).text)" } ?? ""
    }
}
