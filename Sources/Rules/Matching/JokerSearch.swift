/// Finds a stretch with `?` in a text by simulating all its places at once, 64 to a word (Shift-And, Baeza-Yates and
/// Gonnet 1992): linear in the text, whatever repeats in it.
struct JokerSearch {
    /// For each byte, the places of the stretch that it may stand at.
    private var places: [UInt64]
    private var jokers: [UInt64]
    private let words: Int
    private let count: Int

    init(_ stretch: [UInt8]) {
        count = stretch.count
        words = (count + 63) / 64
        places = Array(repeating: 0, count: 256 * words)
        jokers = Array(repeating: 0, count: words)
        for (index, byte) in stretch.enumerated() {
            let bit = UInt64(1) << UInt64(index % 64)
            if byte == GlobSearch.joker {
                jokers[index / 64] |= bit
            } else {
                places[Int(byte) * words + index / 64] |= bit
            }
        }
    }

    /// Where the first place of the stretch ends; nil when there is none.
    /// - Parameters:
    ///   - range: begins and ends between characters.
    ///   - steps: grows by the words gone through.
    func end(in text: [UInt8], _ range: Range<Int>, steps: inout Int) -> Int? {
        var state = [UInt64](repeating: 0, count: words)
        for position in range {
            let byte = text[position]
            let continues = byte & 0xC0 == 0x80
            var carry: UInt64 = 1
            steps += words
            for word in 0..<words {
                let moved = state[word] << 1 | carry
                carry = state[word] >> 63
                var next = moved & places[Int(byte) * words + word]
                // A joker takes a whole character: its first byte, then those that continue it.
                next |= (continues ? state[word] : moved) & jokers[word]
                state[word] = next
            }
            guard state[words - 1] >> UInt64((count - 1) % 64) & 1 == 1 else { continue }
            var end = position + 1
            while end < range.upperBound, text[end] & 0xC0 == 0x80 { end += 1 }
            return end
        }
        return nil
    }
}
