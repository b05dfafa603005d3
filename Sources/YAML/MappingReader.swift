/// Reads a mapping key by key, and at the end reports each key nobody asked for.
package struct MappingReader {
    package let node: YAMLNode
    /// What the mapping is, in words for messages: "source london".
    package let what: String
    private let entries: [YAMLEntry]
    /// Of a mapping with many keys; a small one is looked through.
    private var places: [String: Int] = [:]
    private var asked: [String] = []
    private var isTaken: [Bool]

    private static let few = 16

    /// Nil, and an error, when the node is not a mapping.
    package init?(_ node: YAMLNode, _ what: String, _ diagnostics: inout Diagnostics) {
        guard let entries = node.entries else {
            diagnostics.error(at: node.location, "\(what) must be a mapping (`key: value`), found \(node.kindName)")
            return nil
        }
        self.node = node
        self.what = what
        self.entries = entries
        isTaken = Array(repeating: false, count: entries.count)
        if entries.count > Self.few {
            for (index, entry) in entries.enumerated() { places[entry.name] = index }
        }
    }

    package var location: SourceLocation { node.location }

    /// The key's value; nil when the key is not there.
    package mutating func optional(_ key: String) -> YAMLNode? {
        entry(key)?.value
    }

    /// As `optional`, with the place of the key.
    package mutating func entry(_ key: String) -> YAMLEntry? {
        asked.append(key)
        let index = entries.count > Self.few ? places[key] : entries.firstIndex { $0.name == key }
        guard let index else { return nil }
        isTaken[index] = true
        return entries[index]
    }

    /// The key's value; nil, and an error, when the key is not there.
    package mutating func required(_ key: String, _ diagnostics: inout Diagnostics) -> YAMLNode? {
        let value = optional(key)
        if value == nil { diagnostics.error(at: node.location, "\(what) needs `\(key):`") }
        return value
    }

    /// Reports every key not asked for, with the nearest of those that were.
    /// - Parameter alsoKnown: names to suggest that this reader did not ask for.
    package mutating func finish(_ diagnostics: inout Diagnostics, alsoKnown: [String] = []) {
        let known = asked + alsoKnown
        for entry in rest {
            let suggestion = nearest(entry.name, among: known)
            let hint =
                suggestion == nil && (1...16).contains(known.count)
                ? "; known are \(Self.listed(known))" : ""
            diagnostics.error(
                at: entry.key.location, "unknown key `\(displayable(entry.name))` in \(what)\(hint)",
                didYouMean: suggestion)
        }
    }

    private static func listed(_ names: [String]) -> String {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }.joined(separator: ", ")
    }

    /// The entries not asked for so far.
    package var rest: [YAMLEntry] {
        entries.indices.filter { !isTaken[$0] }.map { entries[$0] }
    }
}
