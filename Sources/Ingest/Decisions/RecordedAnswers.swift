internal import Events
internal import HTTPTypes
internal import Synchronization

/// What makes two requests identical: the sender's own key of the event, or else its bytes.
struct RequestKey: Hashable, Sendable {
    var source: String
    var id: EventID
}

/// The answers of the last moments: who sends an identical request again gets the recorded one.
/// `Waiting` is somebody who waits for an answer that is not there yet.
final class RecordedAnswers<Waiting: Sendable>: Sendable {
    enum Standing {
        /// It is the first: it is to be decided, and `record` called.
        case new
        case answered(HTTPResponse)
        /// It is being decided, and gets the answer then.
        case waiting
    }

    private struct Entry {
        var beganAt: UInt64
        /// Nil while it is being decided.
        var answer: HTTPResponse?
        var waiting: [Waiting] = []
    }

    private struct State {
        var entries: [RequestKey: Entry] = [:]
        /// Oldest first, from `first` on.
        var order: [(key: RequestKey, beganAt: UInt64)] = []
        var first = 0
    }

    private let state = Mutex(State())
    private let window: UInt64
    private let capacity: Int
    static var window: Duration { .seconds(60) }
    static var capacity: Int { 8192 }
    /// Of one answer.
    static var mostWaiting: Int { 64 }

    /// - Parameter capacity: answers kept; beyond it the oldest are forgotten.
    init(window: Duration = RecordedAnswers.window, capacity: Int = RecordedAnswers.capacity) {
        self.window = UInt64(window / .nanoseconds(1))
        self.capacity = capacity
    }

    /// - Parameter now: of `MonotonicClock`, nanoseconds.
    func begin(_ key: RequestKey, _ waiting: Waiting, now: UInt64) -> Standing {
        state.withLock { state in
            forget(&state) { now &- $0 > window }
            if let entry = state.entries[key] {
                if let answer = entry.answer { return .answered(answer) }
                guard entry.waiting.count < Self.mostWaiting else { return .new }
                state.entries[key]?.waiting.append(waiting)
                return .waiting
            }
            var excess = state.entries.count - capacity + 1
            forget(&state) { _ in
                excess -= 1
                return excess >= 0
            }
            state.entries[key] = Entry(beganAt: now)
            state.order.append((key, now))
            return .new
        }
    }

    /// - Returns: those that wait for the same answer.
    func record(_ key: RequestKey, _ answer: HTTPResponse) -> [Waiting] {
        state.withLock { state in
            guard var entry = state.entries[key], entry.answer == nil else { return [] }
            let waiting = entry.waiting
            entry.waiting = []
            entry.answer = answer
            state.entries[key] = entry
            return waiting
        }
    }

    /// Forgets the oldest, as long as it is to be.
    private func forget(_ state: inout State, while isOver: (_ beganAt: UInt64) -> Bool) {
        while state.first < state.order.count {
            let (key, beganAt) = state.order[state.first]
            guard isOver(beganAt) else { break }
            if state.entries[key]?.beganAt == beganAt { state.entries[key] = nil }
            state.first += 1
        }
        if state.first > 1024, state.first * 2 > state.order.count {
            state.order.removeFirst(state.first)
            state.first = 0
        }
    }
}
