internal import Cryptography

/// An event's identity: the first 16 bytes of SHA-256 over the source's name, one line feed and the sender's dedupe key.
/// The same event has the same id on every instance, for ever.
package struct EventID: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// - Parameters:
    ///   - keySpace: the source's name, or what its `dedupe_as:` says.
    ///   - dedupeKey: the sender's own key; several parts are joined by one line feed.
    package init(keySpace: String, dedupeKey: [UInt8]) {
        var text = Array(keySpace.utf8)
        text.reserveCapacity(text.count + 1 + dedupeKey.count)
        text.append(0x0A)
        text.append(contentsOf: dedupeKey)
        self.init(digest: SHA256.hash(text))
    }

    private init(digest: [UInt8]) {
        high = digest[0..<8].reduce(0) { $0 << 8 | UInt64($1) }
        low = digest[8..<16].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// 32 hex digits, in either case.
    package init?(hex: some StringProtocol) {
        guard hex.utf8.count == 32, let high = UInt64(hex.prefix(16), radix: 16),
            let low = UInt64(hex.suffix(16), radix: 16), hex.utf8.allSatisfy(Self.isHexDigit)
        else { return nil }
        self.init(high: high, low: low)
    }

    /// 32 lower-case hex digits.
    package var hex: String {
        unsafe String(unsafeUninitializedCapacity: 32) { buffer in
            for position in 0..<32 {
                unsafe buffer[position] = digit(position)
            }
            return 32
        }
    }

    /// Appends the 32 hex digits.
    package func append(to bytes: inout [UInt8]) {
        for position in 0..<32 { bytes.append(digit(position)) }
    }

    package var description: String { hex }

    package static func < (one: EventID, other: EventID) -> Bool {
        (one.high, one.low) < (other.high, other.low)
    }

    private func digit(_ position: Int) -> UInt8 {
        let word = position < 16 ? high : low
        let nibble = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * (position & 15))) & 0xF
        return nibble < 10 ? nibble + 0x30 : nibble + 0x57
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }
}
