internal import Synchronization

/// Which decisions are still to be kept, and how many could not be.
final class DecisionLedger: Sendable {
    typealias Entry = UInt64

    private struct State {
        /// When each was taken up; of `MonotonicClock`, nanoseconds.
        var open: [Entry: UInt64] = [:]
        var last: Entry = 0
        var unkept = 0
        var lastUnkeptAt: UInt64?
    }

    /// Decisions that may wait to be kept.
    static let capacity = 16_384
    /// How long one that could not be kept is a problem, and how long one may wait, in nanoseconds.
    static let memory: UInt64 = 60_000_000_000

    private let state = Mutex(State())

    /// Nil when too many wait: it counts as one that could not be kept.
    func open(now: UInt64) -> Entry? {
        state.withLock { state in
            guard state.open.count < Self.capacity else {
                state.unkept += 1
                state.lastUnkeptAt = now
                return nil
            }
            state.last += 1
            state.open[state.last] = now
            return state.last
        }
    }

    func kept(_ entry: Entry) {
        state.withLock { $0.open[entry] = nil }
    }

    func unkept(_ entry: Entry?, now: UInt64) {
        state.withLock { state in
            if let entry { state.open[entry] = nil }
            state.unkept += 1
            state.lastUnkeptAt = now
        }
    }

    /// What is wrong, for people; nil when every decision of late was kept.
    func problem(now: UInt64) -> String? {
        state.withLock { state in
            if let at = state.lastUnkeptAt, now &- at < Self.memory {
                return "\(state.unkept) decision\(state.unkept == 1 ? "" : "s") could not be kept since the start"
            }
            let late = state.open.values.count { now &- $0 >= Self.memory }
            return late == 0 ? nil : "\(late) decision\(late == 1 ? "" : "s") could not be kept for a minute"
        }
    }
}
