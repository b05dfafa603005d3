/// A pattern of `like:`: texts between stars, found one after the other, each as early as it can be. A text is looked
/// at once from its beginning to its end, whatever the pattern: the stretch after a star never needs to be tried again
/// at a later place once the stretches before it were found at their earliest.
struct GlobSearch: Sendable {
    /// Between two stars; `?` stands for one character. Of folded UTF-8.
    private let stretches: [[UInt8]]
    private let hasJokers: [Bool]

    private static let star = UInt8(ascii: "*")
    static let joker = UInt8(ascii: "?")

    /// - Parameter folded: as `TextPattern.folded`.
    init(_ folded: [UInt8]) {
        stretches = folded.split(separator: Self.star, omittingEmptySubsequences: false).map { Array($0) }
        hasJokers = stretches.map { $0.contains(Self.joker) }
    }

    var memory: Int { stretches.reduce(64) { $0 + 64 + $1.capacity } }

    /// What must stand somewhere in a text that the pattern fits: runs without `?`.
    var runs: [[UInt8]] {
        stretches.flatMap { $0.split(separator: Self.joker).map { Array($0) } }
    }

    /// The one test of bytes that this pattern is, where it is one: no joker, and one star or two at its ends.
    var plain: (kind: Fact.Kind, text: [UInt8])? {
        guard !hasJokers.contains(true) else { return nil }
        switch stretches.count {
        case 2 where stretches[1].isEmpty && !stretches[0].isEmpty: return (.prefix, stretches[0])
        case 2 where stretches[0].isEmpty && !stretches[1].isEmpty: return (.suffix, stretches[1])
        case 3 where stretches[0].isEmpty && stretches[2].isEmpty && !stretches[1].isEmpty:
            return (.contains, stretches[1])
        default: return nil
        }
    }

    /// - Parameter steps: grows by the work done.
    func fits(_ text: [UInt8], _ range: Range<Int>, steps: inout Int) -> Bool {
        var start = range.lowerBound
        var end = range.upperBound
        guard let first = after(0, text, start, end) else { return false }
        guard stretches.count > 1 else { return first == end }
        start = first
        guard let last = before(stretches.count - 1, text, start, end) else { return false }
        end = last
        for index in stretches.indices.dropFirst().dropLast() {
            guard let next = find(index, text, start, end, &steps) else { return false }
            start = next
        }
        return true
    }

    /// Where the stretch ends that begins here; nil when it does not.
    private func after(_ index: Int, _ text: [UInt8], _ start: Int, _ end: Int) -> Int? {
        var position = start
        for byte in stretches[index] {
            guard position < end else { return nil }
            if byte == Self.joker {
                position += 1
                while position < end, text[position] & 0xC0 == 0x80 { position += 1 }
            } else if text[position] == byte {
                position += 1
            } else {
                return nil
            }
        }
        return position
    }

    /// Where the stretch begins that ends here; nil when it does not.
    private func before(_ index: Int, _ text: [UInt8], _ start: Int, _ end: Int) -> Int? {
        var position = end
        for byte in stretches[index].reversed() {
            guard position > start else { return nil }
            position -= 1
            if byte == Self.joker {
                while position > start, text[position] & 0xC0 == 0x80 { position -= 1 }
                guard text[position] & 0xC0 != 0x80 else { return nil }
            } else if text[position] != byte {
                return nil
            }
        }
        return position
    }

    /// Where the first place of the stretch ends.
    private func find(_ index: Int, _ text: [UInt8], _ start: Int, _ end: Int, _ steps: inout Int) -> Int? {
        let stretch = stretches[index]
        if stretch.isEmpty { return start }
        guard hasJokers[index] else {
            return ByteSearch.find(stretch, in: text, start..<end, steps: &steps).map { $0 + stretch.count }
        }
        return JokerSearch(stretch).end(in: text, start..<end, steps: &steps)
    }
}
