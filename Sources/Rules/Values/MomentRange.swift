/// What `above`, `at_least`, `below`, `at_most` and `between` take of times.
struct MomentRange: Hashable, Sendable {
    struct Bound: Hashable, Sendable {
        enum Moment: Hashable, Sendable {
            /// Milliseconds since 1970.
            case fixed(Int64)
            /// Milliseconds after the event's own time: `now`, `now + 2h`.
            case relative(Int64)
        }

        /// As written.
        var text: String
        var moment: Moment
        var isIncluded: Bool

        /// Nil: counted from the event's own time, and there is none.
        /// - Parameter now: the event's own time, in milliseconds since 1970.
        func milliseconds(now: Int64?) -> Int64? {
            switch moment {
            case .fixed(let milliseconds): milliseconds
            case .relative(let offset): now.map { $0 + offset }
            }
        }
    }

    var lower: Bound?
    var upper: Bound?

    /// - Parameters: both in milliseconds since 1970; `now` is the event's own time, nil when it has none.
    func contains(_ moment: Int64, now: Int64?) -> Bool {
        if let lower {
            guard let bound = lower.milliseconds(now: now) else { return false }
            if lower.isIncluded ? moment < bound : moment <= bound { return false }
        }
        if let upper {
            guard let bound = upper.milliseconds(now: now) else { return false }
            if upper.isIncluded ? moment > bound : moment >= bound { return false }
        }
        return true
    }
}
