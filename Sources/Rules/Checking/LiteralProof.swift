internal import Addresses
internal import Events

extension Leaf.Test {
    /// Whether a value that equals the literal meets the test; nil where more than the literal decides. A literal
    /// says nothing of case, outer spaces, or how a number is written.
    func holds(of key: LiteralKey) -> Bool? {
        switch self {
        // What stands in a list is not the rule's to say.
        case .state, .listed: return nil
        case .equals(let literals, _): return Self.equals(key, literals.flatMap(\.keys))
        case .text(let relation, let patterns):
            guard let text = key.foldedText else { return nil }
            return patterns.contains { relation.holds($0, of: text) }
        case .matches(let expressions):
            guard case .exact(let text) = key else { return nil }
            return expressions.contains { $0.matches(text) }
        case .number(let range):
            guard let number = key.number else { return key.isText ? false : nil }
            return OrderedNumber(number).map { range.contains($0) }
        case .moment(let range):
            guard case .moment(let moment) = key else { return nil }
            return range.containsForEveryNow(moment)
        case .network(let networks):
            guard let text = key.foldedText else { return nil }
            guard let address = IPAddress(String(decoding: text, as: UTF8.self)) else { return false }
            return networks.contains { $0.contains(address.unmapped) }
        case .calendar: return nil
        }
    }

    private static func equals(_ key: LiteralKey, _ others: [LiteralKey]) -> Bool? {
        if others.contains(key) { return true }
        switch key {
        case .text(let text):
            let number = DecimalNumber.canonical(text)
            let isPossible = others.contains { other in
                switch other {
                case .exact(let bytes): TextFolding.key(String(decoding: bytes, as: UTF8.self)) == text
                case .number(let value): value == number
                default: false
                }
            }
            return isPossible ? nil : false
        case .exact(let bytes):
            let text = TextFolding.key(String(decoding: bytes, as: UTF8.self))
            if others.contains(.text(text)) { return true }
            guard let number = DecimalNumber.canonical(text) else { return false }
            return others.contains(.number(number)) ? nil : false
        case .number(let number):
            let isPossible = others.contains { other in
                if case .text(let text) = other { DecimalNumber.canonical(text) == number } else { false }
            }
            return isPossible ? nil : false
        case .moment:
            return false
        }
    }
}

extension LiteralKey {
    fileprivate var isText: Bool {
        switch self {
        case .text, .exact: true
        case .number, .moment: false
        }
    }

    /// As texts are compared: folded, without outer spaces.
    fileprivate var foldedText: [UInt8]? {
        switch self {
        case .text(let text): text
        case .exact(let bytes): TextFolding.key(String(decoding: bytes, as: UTF8.self))
        case .number, .moment: nil
        }
    }

    /// The number it is, or that stands in its text.
    fileprivate var number: [UInt8]? {
        switch self {
        case .text(let text): DecimalNumber.canonical(text)
        case .exact: foldedText.flatMap { DecimalNumber.canonical($0) }
        case .number(let number): number
        case .moment: nil
        }
    }
}
