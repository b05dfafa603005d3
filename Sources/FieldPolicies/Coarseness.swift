internal import Addresses
internal import Events

/// How much of a time or an address is left.
package enum Coarseness: String, Sendable, Hashable, CaseIterable {
    case hour, day, month, year
    /// Of an IPv4 address its /24, of an IPv6 address its /48; of a 6to4 address, which is an IPv4 address in the first
    /// 48 bits, its /40.
    case network

    /// Nil when it is for addresses.
    func floor(_ time: Timestamp) -> Timestamp? {
        let text = time.text
        let floor: String? =
            switch self {
            case .hour: text.prefix(13) + ":00:00.000Z"
            case .day: text.prefix(10) + "T00:00:00.000Z"
            case .month: text.prefix(7) + "-01T00:00:00.000Z"
            case .year: text.prefix(4) + "-01-01T00:00:00.000Z"
            case .network: nil
            }
        return floor.flatMap { Timestamp($0) }
    }

    /// The text with so much left of it; nil when it is no time, or no address.
    func coarsened(_ text: String) -> String? {
        guard self != .network else {
            guard let address = IPAddress(text)?.unmapped else { return nil }
            return IPNetwork(around: address, prefixLength: Self.prefixLength(of: address)).base.description
        }
        if let time = Timestamp(text) { return floor(time)?.text }
        // A date alone, such as a birthday, stays one.
        guard text.utf8.count == 10 else { return nil }
        return Timestamp(text + "T00:00:00Z").flatMap(floor).map { String($0.text.prefix(10)) }
    }

    /// RFC 3056, section 2.
    private static let sixToFour = IPNetwork("2002::/16")

    private static func prefixLength(of address: IPAddress) -> Int {
        if address.isIPv4 { return 24 }
        return sixToFour?.contains(address) == true ? 40 : 48
    }
}
