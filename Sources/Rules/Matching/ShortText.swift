/// Up to 16 bytes as two numbers, so that they are hashed and compared without a loop. Texts of different lengths may have
/// the same numbers: their lengths are compared too.
struct ShortText: Sendable, Hashable {
    static let longest = 16

    private(set) var first: UInt64 = 0
    private(set) var second: UInt64 = 0

    static var none: ShortText { ShortText([], 0..<0) }

    /// - Parameter range: of no more than `longest`.
    @inline(__always)
    init(_ bytes: [UInt8], _ range: Range<Int>) {
        let middle = min(range.lowerBound + 8, range.upperBound)
        for position in range.lowerBound..<middle { first = first << 8 | UInt64(bytes[position]) }
        for position in middle..<range.upperBound { second = second << 8 | UInt64(bytes[position]) }
    }

    /// The first bytes of a text of any length.
    init(beginningOf bytes: [UInt8], _ range: Range<Int>) {
        self.init(bytes, range.prefix(Self.longest))
    }

    var isASCII: Bool { (first | second) & 0x8080_8080_8080_8080 == 0 }

    /// Of ASCII: in lower case.
    var folded: ShortText {
        var folded = self
        folded.first = Self.folded(first)
        folded.second = Self.folded(second)
        return folded
    }

    /// Eight letters at once: the highest bit of each byte, which ASCII leaves free, tells whether it is at least `A`, and
    /// whether it is beyond `Z`.
    @inline(__always)
    private static func folded(_ bytes: UInt64) -> UInt64 {
        let fromA = bytes &+ 0x3F3F_3F3F_3F3F_3F3F
        let beyondZ = bytes &+ 0x2525_2525_2525_2525
        return bytes | ((fromA ^ beyondZ) & 0x8080_8080_8080_8080) >> 2
    }

    /// - Parameters:
    ///   - count: of its bytes.
    ///   - owner: the path or the node that it belongs to.
    @inline(__always)
    func hash(_ count: Int, of owner: Int32) -> UInt64 {
        let seed = UInt64(UInt32(bitPattern: owner)) << 8 | UInt64(truncatingIfNeeded: count)
        var hash = (first ^ seed &* 0x9E37_79B9_7F4A_7C15) &* 0xD6E8_FEB8_6659_FD93
        hash = (hash ^ hash >> 32 ^ second) &* 0x9FB2_1C65_1E98_DF25
        hash = (hash ^ hash >> 32) &* 0xD6E8_FEB8_6659_FD93
        return hash ^ hash >> 29
    }
}
