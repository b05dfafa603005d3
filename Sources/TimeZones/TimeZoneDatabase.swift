internal import Synchronization

/// The time zones of this machine, read from its tz database as they are asked for.
package final class TimeZoneDatabase: Sendable {
    /// Where Linux keeps it (Debian: the package tzdata).
    package static let system = TimeZoneDatabase(folder: "/usr/share/zoneinfo")

    /// Senders name zones too; what they name must not fill the memory.
    private static let mostKept = 2000
    private static let longestName = 64
    private static let largestFile = 1 << 20

    private let folder: String
    /// Also the names that are none, as nil.
    private let zones = Mutex<[String: ZoneRules?]>([:])

    package init(folder: String) {
        self.folder = folder
    }

    /// The rules of a zone such as `Europe/London`; nil when there is none of this name. `UTC` is known without a
    /// database. A zone is read once: what is installed later is seen by the next process.
    package func zone(_ name: String) -> ZoneRules? {
        guard Self.isName(name) else { return nil }
        if let known = zones.withLock({ $0[name] }) { return known }
        let zone = read(name)
        zones.withLock {
            if $0.count >= Self.mostKept { $0.removeAll() }
            $0[name] = .some(zone)
        }
        return zone
    }

    /// The names it lists, for messages that say the nearest; empty where it lists none.
    package func names() -> [String] {
        guard let table = readFile("\(folder)/tzdata.zi", maximumBytes: Self.largestFile) else { return [] }
        var names: [String] = []
        for line in String(decoding: table, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.first == "Z", words.count > 1 { names.append(String(words[1])) }
            if words.first == "L", words.count > 2 { names.append(String(words[2])) }
        }
        return names
    }

    private func read(_ name: String) -> ZoneRules? {
        if let file = readFile("\(folder)/\(name)", maximumBytes: Self.largestFile), let rules = ZoneRules(tzif: file) {
            return rules
        }
        return name == "UTC" ? .utc : nil
    }

    /// Letters, digits, `+`, `-`, `_` and single slashes: never a path out of the folder.
    private static func isName(_ name: String) -> Bool {
        guard !name.isEmpty, name.utf8.count <= longestName else { return false }
        return name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty
                && part.allSatisfy { byte in
                    switch byte {
                    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2B, 0x2D, 0x5F: true
                    default: false
                    }
                }
        }
    }
}
