/// Paths of rule files, compared without looking at the disk (`lexical`) or as the disk has them (`identity`).
enum RulePaths {
    /// Without `.`, `..` and doubled slashes.
    static func lexical(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != ".." { parts.removeLast() } else { parts.append(part) }
        }
        return (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
    }

    /// Whether `path` is `folder` or below it.
    static func isInside(_ path: String, _ folder: String) -> Bool {
        guard path.utf8.starts(with: folder.utf8) else { return false }
        return path.utf8.count == folder.utf8.count || folder.isEmpty || folder.hasSuffix("/")
            || path.utf8.dropFirst(folder.utf8.count).first == UInt8(ascii: "/")
    }

    static func overlap(_ one: String, _ other: String) -> Bool { isInside(one, other) || isInside(other, one) }
}
