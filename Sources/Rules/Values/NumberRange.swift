/// What `above`, `at_least`, `below`, `at_most` and `between` take of numbers.
struct NumberRange: Hashable, Sendable {
    struct Bound: Hashable, Sendable {
        /// As written.
        var text: String
        var number: OrderedNumber
        var isIncluded: Bool
    }

    var lower: Bound?
    var upper: Bound?

    func contains(_ number: OrderedNumber) -> Bool {
        if let lower, lower.isIncluded ? number < lower.number : number <= lower.number { return false }
        if let upper, upper.isIncluded ? number > upper.number : number >= upper.number { return false }
        return true
    }
}
