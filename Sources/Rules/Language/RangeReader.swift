internal import Events
internal import YAML

/// Reads what `above`, `at_least`, `below`, `at_most` and `between` compare with: numbers or times.
struct RangeReader {
    let operation: RuleOperator
    let field: AskedField

    /// An end of a range, of one kind or the other.
    private enum Bound {
        case number(NumberRange.Bound)
        case moment(MomentRange.Bound)
    }

    func test(_ value: YAMLNode, _ diagnostics: inout Diagnostics) -> Leaf.Test? {
        guard operation != .between else { return between(value, &diagnostics) }
        if value.elements != nil {
            diagnostics.error(
                at: value.location, "`\(operation.rawValue):` takes one value; for a range write between: [FROM, TO]")
            return nil
        }
        let isIncluded = operation == .atLeast || operation == .atMost
        let isLower = operation == .above || operation == .atLeast
        switch bound(value, isIncluded: isIncluded, &diagnostics) {
        case .number(let end): return .number(isLower ? NumberRange(lower: end) : NumberRange(upper: end))
        case .moment(let end): return .moment(isLower ? MomentRange(lower: end) : MomentRange(upper: end))
        case nil: return nil
        }
    }

    private func between(_ value: YAMLNode, _ diagnostics: inout Diagnostics) -> Leaf.Test? {
        guard let ends = value.elements, ends.count == 2 else {
            let found = value.elements.map { $0.count == 1 ? "one" : "\($0.count)" } ?? value.kindName
            diagnostics.error(at: value.location, "`between:` takes two values, [FROM, TO], found \(found)")
            return nil
        }
        let first = bound(ends[0], isIncluded: true, &diagnostics)
        let last = bound(ends[1], isIncluded: true, &diagnostics)
        switch (first, last) {
        case (.number(let lower), .number(let upper)):
            guard lower.number <= upper.number else { return reversed(value, lower.text, upper.text, &diagnostics) }
            return .number(NumberRange(lower: lower, upper: upper))
        case (.moment(let lower), .moment(let upper)):
            guard Self.mayContain(lower, upper) else { return reversed(value, lower.text, upper.text, &diagnostics) }
            return .moment(MomentRange(lower: lower, upper: upper))
        case (nil, _), (_, nil):
            return nil
        default:
            diagnostics.error(at: value.location, "`between:` takes two numbers or two times, not one of each")
            return nil
        }
    }

    /// A fixed time and one counted from the event's can only be compared when there is an event.
    private static func mayContain(_ lower: MomentRange.Bound, _ upper: MomentRange.Bound) -> Bool {
        switch (lower.moment, upper.moment) {
        case (.fixed(let from), .fixed(let to)), (.relative(let from), .relative(let to)): from <= to
        default: true
        }
    }

    private func reversed(
        _ value: YAMLNode, _ from: String, _ to: String, _ diagnostics: inout Diagnostics
    ) -> Leaf.Test? {
        diagnostics.error(
            at: value.location, "nothing lies between these; the lower one comes first",
            didYouMean: "[\(to), \(from)]")
        return nil
    }

    private func bound(_ node: YAMLNode, isIncluded: Bool, _ diagnostics: inout Diagnostics) -> Bound? {
        let reader = LiteralReader(path: field.path, name: field.name, exactly: false)
        guard let scalar = reader.scalar(node, &diagnostics) else { return nil }
        switch field.path.kind {
        case .timestamp: return moment(node, scalar, isIncluded, &diagnostics)
        case .number: return number(node, scalar, isIncluded, &diagnostics)
        default:
            if DecimalNumber.canonical(scalar.text.utf8) != nil {
                return number(node, scalar, isIncluded, &diagnostics)
            }
            if MomentReader.isMeant(scalar.text) { return moment(node, scalar, isIncluded, &diagnostics) }
            diagnostics.error(
                at: node.location,
                "`\(operation.rawValue):` takes a number such as 3, a time such as 2024-07-30T09:00:00Z, or now, not "
                    + "`\(scalar.displayText)`")
            return nil
        }
    }

    private func moment(
        _ node: YAMLNode, _ scalar: YAMLScalar, _ isIncluded: Bool, _ diagnostics: inout Diagnostics
    ) -> Bound? {
        MomentReader(name: field.name).bound(node, scalar, isIncluded: isIncluded, &diagnostics).map(Bound.moment)
    }

    private func number(
        _ node: YAMLNode, _ scalar: YAMLScalar, _ isIncluded: Bool, _ diagnostics: inout Diagnostics
    ) -> Bound? {
        guard DecimalNumber.canonical(scalar.text.utf8) != nil else {
            diagnostics.error(
                at: node.location, "\(field.name) is a number such as 3, not `\(scalar.displayText)`")
            return nil
        }
        guard let number = OrderedNumber(scalar.text.utf8) else {
            diagnostics.error(at: node.location, "`\(scalar.displayText)` is too large to compare; numbers go to 10^27")
            return nil
        }
        guard !number.isBetween else {
            diagnostics.error(
                at: node.location, "`\(scalar.displayText)` has too many decimals to compare; write at most nine")
            return nil
        }
        return .number(NumberRange.Bound(text: scalar.text, number: number, isIncluded: isIncluded))
    }
}
