/// Caps the look-ups under way for one host name, so that a name whose servers hang cannot fill the process with
/// waiting resolver threads: libcurl abandons a look-up that timed out, and its thread lives on.
final class LookupGate {
    private static let limit = 2
    /// How long an abandoned look-up is held to go on: the system resolver's usual patience.
    private static let abandonedPatience = Duration.seconds(10)

    private var underWay: [String: Int] = [:]
    private var abandoned: [(host: String, until: MonotonicTime)] = []
    /// Hosts whose count went down since this was last read: what waits for them may try again.
    private var released: Set<String> = []

    func begin(_ host: String) -> Bool {
        guard underWay[host, default: 0] < Self.limit else { return false }
        underWay[host, default: 0] += 1
        return true
    }

    func end(_ host: String) {
        let count = underWay[host, default: 0]
        underWay[host] = count > 1 ? count - 1 : nil
        released.insert(host)
    }

    /// The transfer gave up while the look-up went on.
    func abandon(_ host: String, now: MonotonicTime) {
        abandoned.append((host, now.advanced(by: Self.abandonedPatience)))
    }

    func takeReleased(now: MonotonicTime) -> Set<String> {
        while let oldest = abandoned.first, oldest.until <= now {
            abandoned.removeFirst()
            end(oldest.host)
        }
        guard !released.isEmpty else { return [] }
        defer { released.removeAll() }
        return released
    }
}
