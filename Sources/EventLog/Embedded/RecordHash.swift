internal import Glibc

/// A 64-bit hash of a record's fields, fast enough for every append and read. Each step is a bijection both of the
/// state and of the word it takes, so that a change within one aligned 8-byte word, a flipped bit above all, is always
/// detected, and any other with all but 2⁻⁶⁴ probability. It is not for secrets.
struct RecordHash {
    private var first: UInt64
    private var second: UInt64
    private var third: UInt64
    private var fourth: UInt64

    private static let multiplier: UInt64 = 0x9E37_79B1_85EB_CA87

    init(seed: UInt64 = 0, _ otherSeed: UInt64 = 0) {
        first = seed ^ 0x243F_6A88_85A3_08D3
        second = otherSeed ^ 0x1319_8A2E_0370_7344
        third = seed ^ 0xA409_3822_299F_31D0
        fourth = otherSeed ^ 0x082E_FA98_EC4E_6C89
    }

    private static func mix(_ state: UInt64, _ word: UInt64) -> UInt64 {
        let mixed = state ^ word
        return (mixed << 31 | mixed >> 33) &* multiplier
    }

    mutating func add(_ word: UInt64) {
        first = Self.mix(first, word)
    }

    /// Adds the length, then the bytes: no two lists of fields read alike.
    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        add(UInt64(bytes.count))
        var offset = 0
        let stripes = bytes.count & ~31
        while offset < stripes {
            first = unsafe Self.mix(first, bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            second = unsafe Self.mix(second, bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
            third = unsafe Self.mix(third, bytes.loadUnaligned(fromByteOffset: offset + 16, as: UInt64.self))
            fourth = unsafe Self.mix(fourth, bytes.loadUnaligned(fromByteOffset: offset + 24, as: UInt64.self))
            offset += 32
        }
        while offset + 8 <= bytes.count {
            add(unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset += 8
        }
        guard offset < bytes.count else { return }
        var tail: UInt64 = 0
        for position in offset..<bytes.count {
            tail = unsafe tail << 8 | UInt64(bytes[position])
        }
        add(tail)
    }

    mutating func add(_ text: String) {
        var text = text
        text.withUTF8 { unsafe add(UnsafeRawBufferPointer($0)) }
    }

    func finish() -> UInt64 {
        var state = Self.mix(first, second)
        state = Self.mix(state, third)
        state = Self.mix(state, fourth)
        state ^= state >> 32
        state = state &* 0xD6E8_FEB8_6659_FD93
        return state ^ state >> 32
    }
}
