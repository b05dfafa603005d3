import Glibc

/// An IPv4 or IPv6 address without a zone.
package struct IPAddress: Hashable, Sendable {
    /// The upper eight bytes of an IPv6 address; 0 for IPv4.
    let high: UInt64
    /// The lower eight bytes of an IPv6 address; an IPv4 address as a number.
    let low: UInt64
    package let isIPv4: Bool

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
        isIPv4 = false
    }

    /// An IPv4 address as a number in host order: 0x7f000001 is 127.0.0.1.
    package init(ipv4 number: UInt32) {
        high = 0
        low = UInt64(number)
        isIPv4 = true
    }

    /// Reads the usual text forms, strictly: four decimal numbers without leading zeros, or RFC 4291, section 2.2.
    /// Octal, hexadecimal and shortened IPv4 forms, brackets, zones (`%eth0`) and white space are refused.
    package init?(_ text: String) {
        let utf8 = text[...].utf8
        let parsed = utf8.contains(UInt8(ascii: ":")) ? AddressText.ipv6(utf8) : AddressText.ipv4(utf8)
        guard let parsed else { return nil }
        self = parsed
    }

    /// Takes 4 or 16 bytes in network order; nil for any other count.
    package init?(bytes: some Collection<UInt8>) {
        switch bytes.count {
        case 4:
            self.init(ipv4: bytes.reduce(0) { $0 << 8 | UInt32($1) })
        case 16:
            self.init(
                high: bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) },
                low: bytes.dropFirst(8).reduce(0) { $0 << 8 | UInt64($1) })
        default:
            return nil
        }
    }

    /// The address of a socket address of the families AF_INET and AF_INET6; nil for any other.
    package init?(socketAddress: UnsafeRawPointer, length: Int) {
        guard length >= MemoryLayout<sockaddr>.size else { return nil }
        switch Int32(unsafe socketAddress.loadUnaligned(as: sockaddr.self).sa_family) {
        case AF_INET where length >= MemoryLayout<sockaddr_in>.size:
            let address = unsafe socketAddress.loadUnaligned(as: sockaddr_in.self)
            self.init(ipv4: UInt32(bigEndian: address.sin_addr.s_addr))
        case AF_INET6 where length >= MemoryLayout<sockaddr_in6>.size:
            var address = unsafe socketAddress.loadUnaligned(as: sockaddr_in6.self)
            let (high, low) = unsafe withUnsafeBytes(of: &address.sin6_addr) { bytes in
                unsafe (
                    UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                    UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
                )
            }
            self.init(high: high, low: low)
        default:
            return nil
        }
    }

    /// 4 or 16 bytes in network order.
    package var bytes: [UInt8] {
        isIPv4
            ? (0..<4).map { UInt8(truncatingIfNeeded: low >> UInt64(24 - 8 * $0)) }
            : (0..<16).map { UInt8(truncatingIfNeeded: ($0 < 8 ? high : low) >> UInt64(56 - 8 * ($0 % 8))) }
    }

    /// The IPv4 address inside an IPv4-mapped one (`::ffff:a.b.c.d`); any other address as it is.
    package var unmapped: IPAddress {
        !isIPv4 && high == 0 && low >> 32 == 0xffff ? IPAddress(ipv4: UInt32(truncatingIfNeeded: low)) : self
    }

    /// Whether both addresses begin with the same `bits` bits; false across families.
    func shares(prefix bits: Int, with other: IPAddress) -> Bool {
        guard isIPv4 == other.isIPv4 else { return false }
        if isIPv4 { return bits == 0 || (low ^ other.low) >> UInt64(32 - bits) == 0 }
        if bits <= 64 { return bits == 0 || (high ^ other.high) >> UInt64(64 - bits) == 0 }
        return high == other.high && (low ^ other.low) >> UInt64(128 - bits) == 0
    }

    /// This address with all but its first `bits` bits zero.
    func masked(to bits: Int) -> IPAddress {
        if isIPv4 { return IPAddress(ipv4: UInt32(truncatingIfNeeded: low & ~(UInt64(0xffff_ffff) >> UInt64(bits)))) }
        return IPAddress(
            high: bits >= 64 ? high : high & ~(UInt64.max >> UInt64(bits)),
            low: bits <= 64 ? 0 : low & ~(UInt64.max >> UInt64(bits - 64)))
    }

    /// The number of bits of an address of this family.
    var width: Int { isIPv4 ? 32 : 128 }
}

extension IPAddress: CustomStringConvertible {
    /// The canonical text (RFC 5952 for IPv6).
    package var description: String {
        if isIPv4 { return Self.dotted(low) }
        if unmapped.isIPv4 { return "::ffff:" + Self.dotted(low) }
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: ($0 < 4 ? high : low) >> UInt64(48 - 16 * ($0 % 4))) }
        let gap = Self.longestZeroRun(groups)
        guard gap.count > 1 else { return Self.joined(groups[...]) }
        return Self.joined(groups[..<gap.lowerBound]) + "::" + Self.joined(groups[gap.upperBound...])
    }

    private static func dotted(_ number: UInt64) -> String {
        "\(number >> 24 & 0xff).\(number >> 16 & 0xff).\(number >> 8 & 0xff).\(number & 0xff)"
    }

    private static func joined(_ groups: ArraySlice<UInt16>) -> String {
        groups.map { String($0, radix: 16) }.joined(separator: ":")
    }

    private static func longestZeroRun(_ groups: [UInt16]) -> Range<Int> {
        var longest = 0..<0
        var start = 0
        for index in 0...groups.count where index == groups.count || groups[index] != 0 {
            if index - start > longest.count { longest = start..<index }
            start = index + 1
        }
        return longest
    }
}
