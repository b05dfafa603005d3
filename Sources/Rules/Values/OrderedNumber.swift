/// A number that can be compared with the bounds of a range exactly: a whole number of billionths.
///
/// Bounds have at most nine decimals. A number with more lies strictly between two neighbouring billionths, on the same
/// side of every bound as all that lie between those two; so it is enough to know which two they are.
struct OrderedNumber: Hashable, Sendable, Comparable {
    /// The number times 10^9; of a number with more decimals the next lower.
    let billionths: Int128
    /// Whether the number lies strictly between `billionths` and the next.
    let isBetween: Bool

    private static let decimals = 9
    /// Numbers of 10^27 and beyond cannot be held.
    private static let digitsBeforePoint = 27

    /// - Parameter bytes: a JSON number (RFC 8259, section 6).
    /// - Returns: nil for what is no number, and for one of 10^27 or beyond.
    init?(_ bytes: some Collection<UInt8>) {
        guard let number = DecimalDigits(bytes), let ordered = OrderedNumber(number) else { return nil }
        self = ordered
    }

    /// - Returns: nil for a number of 10^27 or beyond.
    init?(_ number: DecimalDigits) {
        // The number is 0.DIGITS × 10^point.
        let point = number.digits.count + number.exponent
        guard number.digits.isEmpty || point <= Self.digitsBeforePoint else { return nil }
        let kept = number.digits.prefix(max(0, point + Self.decimals))
        var value: Int128 = 0
        for digit in kept { value = value * 10 + Int128(digit) }
        if !number.digits.isEmpty, point + Self.decimals > kept.count {
            for _ in kept.count..<(point + Self.decimals) { value *= 10 }
        }
        isBetween = kept.count < number.digits.count
        billionths = number.isNegative ? isBetween ? -value - 1 : -value : value
    }

    static func < (one: OrderedNumber, other: OrderedNumber) -> Bool {
        one.billionths == other.billionths
            ? !one.isBetween && other.isBetween : one.billionths < other.billionths
    }
}
