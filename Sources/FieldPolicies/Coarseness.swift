internal import Addresses
internal import Events

/// How much of a time or an address is left.
package enum Coarseness: String, Sendable, Hashable, CaseIterable {
    case hour, day, month, year
    /// Of an IPv4 address its /24, of an IPv6 address its /48.
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
            return IPNetwork(around: address, prefixLength: address.isIPv4 ? 24 : 48).base.description
        }
        if let time = Timestamp(text) { return floor(time)?.text }
        // A date alone, such as a birthday, stays one.
        guard text.utf8.count == 10 else { return nil }
        return Timestamp(text + "T00:00:00Z").flatMap(floor).map { String($0.text.prefix(10)) }
    }
}
