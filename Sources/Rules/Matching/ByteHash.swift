/// A hash that grows byte by byte, so that every beginning (or ending) of a text has one for the price of the whole:
/// FNV-1a, finished by a multiplication. Only rules put keys into the tables; an event's texts are looked up, and a
/// hit is compared byte by byte, so no sender can make a table slow.
struct ByteHash {
    private var state: UInt64

    init() { state = 0xCBF2_9CE4_8422_2325 }

    init(path: Int32, kind: Fact.Kind) {
        self.init()
        state = (state ^ UInt64(UInt32(bitPattern: path))) &* 0x9E37_79B9_7F4A_7C15
        state ^= UInt64(kind.rawValue) &* 0xD6E8_FEB8_6659_FD93
    }

    @inline(__always)
    mutating func add(_ byte: UInt8) {
        state = (state ^ UInt64(byte)) &* 0x100_0000_01B3
    }

    @inline(__always)
    var value: UInt64 {
        var value = state
        value ^= value >> 32
        value = value &* 0x9FB2_1C65_1E98_DF25
        return value ^ (value >> 29)
    }
}
