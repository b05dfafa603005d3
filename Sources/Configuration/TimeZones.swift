internal import Glibc
internal import YAML

/// The time zones of this machine, from its tz database.
enum TimeZones {
    private static let folder = "/usr/share/zoneinfo"

    static func contains(_ name: String) -> Bool {
        unsafe access("\(folder)/\(name)", R_OK) == 0
    }

    /// The names the database lists; empty where it lists none.
    static func names() -> [String] {
        guard let table = try? readFile("\(folder)/tzdata.zi", maximumBytes: 1 << 20) else { return [] }
        var names: [String] = []
        for line in String(decoding: table, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.first == "Z", words.count > 1 { names.append(String(words[1])) }
            if words.first == "L", words.count > 2 { names.append(String(words[2])) }
        }
        return names
    }

    /// The name of a time zone this machine knows, such as `Europe/London`.
    static func decode(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> String? {
        guard let name = node.name(&diagnostics), node.scalar?.isResolved ?? false else { return nil }
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2B, 0x2D, 0x2F, 0x5F: true
            default: false
            }
        }
        guard isPlain, !name.hasPrefix("/"), name == "UTC" || contains(name) else {
            diagnostics.error(
                at: node.location,
                "no time zone is named `\(node.scalar?.displayText ?? "")`; write one such as Europe/London",
                didYouMean: node.scalar?.reference == nil ? nearest(name, among: names()) : nil)
            return nil
        }
        return name
    }
}
