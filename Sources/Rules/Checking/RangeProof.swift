/// What can be told of ranges of numbers and times without any value.
extension NumberRange {
    var isEmpty: Bool {
        guard let lower, let upper else { return false }
        return lower.number > upper.number
            || (lower.number == upper.number && !(lower.isIncluded && upper.isIncluded))
    }

    func excludes(_ other: NumberRange) -> Bool {
        NumberRange(lower: lower, upper: other.upper).isEmpty || NumberRange(lower: other.lower, upper: upper).isEmpty
    }

    /// Whether the other range holds every number of this one.
    func isInside(_ other: NumberRange) -> Bool {
        if let bound = other.lower {
            guard let lower, lower.number >= bound.number else { return false }
            if lower.number == bound.number, lower.isIncluded, !bound.isIncluded { return false }
        }
        if let bound = other.upper {
            guard let upper, upper.number <= bound.number else { return false }
            if upper.number == bound.number, upper.isIncluded, !bound.isIncluded { return false }
        }
        return true
    }
}

extension MomentRange.Bound {
    /// How much later this is than the other, in milliseconds; nil where that depends on the event.
    fileprivate func difference(_ other: MomentRange.Bound) -> Int64? {
        switch (moment, other.moment) {
        case (.fixed(let one), .fixed(let another)), (.relative(let one), .relative(let another)):
            let (difference, overflow) = one.subtractingReportingOverflow(another)
            return overflow ? nil : difference
        default: return nil
        }
    }
}

extension MomentRange {
    var isEmpty: Bool {
        guard let lower, let upper, let span = upper.difference(lower) else { return false }
        return span < 0 || (span == 0 && !(lower.isIncluded && upper.isIncluded))
    }

    /// Of the event's own time, which is now: whether the ends relative to it leave it in.
    var mayContainNow: Bool {
        if let lower, case .relative(let offset) = lower.moment, offset > 0 || (offset == 0 && !lower.isIncluded) {
            return false
        }
        if let upper, case .relative(let offset) = upper.moment, offset < 0 || (offset == 0 && !upper.isIncluded) {
            return false
        }
        return true
    }

    func excludes(_ other: MomentRange) -> Bool {
        MomentRange(lower: lower, upper: other.upper).isEmpty || MomentRange(lower: other.lower, upper: upper).isEmpty
    }

    /// Whether the other range holds every time of this one.
    func isInside(_ other: MomentRange) -> Bool {
        if let bound = other.lower {
            guard let lower, let later = lower.difference(bound), later >= 0 else { return false }
            if later == 0, lower.isIncluded, !bound.isIncluded { return false }
        }
        if let bound = other.upper {
            guard let upper, let earlier = bound.difference(upper), earlier >= 0 else { return false }
            if earlier == 0, upper.isIncluded, !bound.isIncluded { return false }
        }
        return true
    }

    /// Nil where an end depends on the event.
    func containsForEveryNow(_ moment: Int64) -> Bool? {
        for bound in [lower, upper] {
            if let bound, case .relative = bound.moment { return nil }
        }
        return contains(moment, now: 0)
    }
}
