/// SHA-256 (FIPS 180-4) and HMAC (RFC 2104), written plainly from their definitions, so that what our module signs is
/// verified by code that shares nothing with it.
enum PlainSHA256 {
    static func hash(_ message: [UInt8]) -> [UInt8] {
        var state = initial
        var bytes = message + [0x80]
        while bytes.count % 64 != 56 { bytes.append(0) }
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: (message.count * 8) >> shift))
        }
        for block in stride(from: 0, to: bytes.count, by: 64) {
            compress(&state, Array(bytes[block..<block + 64]), constants)
        }
        return state.flatMap { word in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> UInt32($0)) } }
    }

    private static func compress(_ state: inout [UInt32], _ block: [UInt8], _ constants: [UInt32]) {
        func rotate(_ value: UInt32, _ count: UInt32) -> UInt32 { value >> count | value << (32 - count) }
        var words = (0..<16).map { index in block[index * 4..<index * 4 + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        }
        for index in 16..<64 {
            let (early, late) = (words[index - 15], words[index - 2])
            let first = rotate(early, 7) ^ rotate(early, 18) ^ early >> 3
            let second = rotate(late, 17) ^ rotate(late, 19) ^ late >> 10
            words.append(words[index - 16] &+ first &+ words[index - 7] &+ second)
        }
        var v = state
        for index in 0..<64 {
            let sum1 = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25)
            let choice = (v[4] & v[5]) ^ (~v[4] & v[6])
            let first = v[7] &+ sum1 &+ choice &+ constants[index] &+ words[index]
            let sum0 = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22)
            let majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2])
            v = [first &+ sum0 &+ majority, v[0], v[1], v[2], v[3] &+ first, v[4], v[5], v[6]]
        }
        for index in 0..<8 { state[index] = state[index] &+ v[index] }
    }

    private static let initial = primes.prefix(8).map { fraction(Double($0).squareRoot()) }
    private static let constants = primes.map { fraction(cubeRoot($0)) }
    private static let primes: [Int] = Array((2...).lazy.filter { n in !(2..<n).contains { n % $0 == 0 } }.prefix(64))

    private static func fraction(_ root: Double) -> UInt32 {
        UInt32((root - root.rounded(.down)) * 4_294_967_296)
    }

    /// By Newton's steps: the standard library has no cube root.
    private static func cubeRoot(_ value: Int) -> Double {
        var root = 2.0
        for _ in 0..<60 { root -= (root * root * root - Double(value)) / (3 * root * root) }
        return root
    }
}

enum PlainHMAC {
    static func sha256(key: [UInt8], message: [UInt8]) -> [UInt8] {
        var key = key.count > 64 ? PlainSHA256.hash(key) : key
        key += Array(repeating: 0, count: 64 - key.count)
        return PlainSHA256.hash(key.map { $0 ^ 0x5c } + PlainSHA256.hash(key.map { $0 ^ 0x36 } + message))
    }
}
