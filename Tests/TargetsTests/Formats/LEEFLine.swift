/// A strict reader of one LEEF 2.0 line, written from IBM's guide and from nothing of the writer's.
struct LEEFLine {
    /// Version, vendor, product, version, event, delimiter.
    var header: [String] = []
    var fields: [String: String] = [:]

    struct Malformed: Error {
        var reason: String
    }

    init(_ line: String) throws(Malformed) {
        for scalar in line.unicodeScalars where scalar.value < 0x20 || 0x7F..<0xA0 ~= scalar.value {
            throw Malformed(reason: "control character \(scalar.value)")
        }
        let parts = line.unicodeScalars.split(separator: "|", maxSplits: 6, omittingEmptySubsequences: false)
        guard parts.count == 7, line.hasPrefix("LEEF:2.0|") else { throw Malformed(reason: "header") }
        header = parts[..<6].map { String($0) }
        guard header[5].unicodeScalars.count == 1, let delimiter = header[5].unicodeScalars.first else {
            throw Malformed(reason: "delimiter")
        }
        if parts[6].contains("|") { throw Malformed(reason: "a bar in an attribute") }
        for pair in parts[6].split(separator: delimiter, omittingEmptySubsequences: false) {
            guard let equals = pair.firstIndex(of: "=") else { throw Malformed(reason: "no =") }
            let key = String(pair[..<equals])
            guard key.wholeMatch(of: /[A-Za-z0-9]+/) != nil else { throw Malformed(reason: "key \(key)") }
            let value = String(pair[pair.index(after: equals)...])
            guard !value.isEmpty else { throw Malformed(reason: "\(key) is empty") }
            guard fields.updateValue(value, forKey: key) == nil else { throw Malformed(reason: "\(key) twice") }
        }
    }
}

/// What a reader gets back of a text, by the pages.
enum PairText {
    static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value) || scalar.value == 0x2028 || scalar.value == 0x2029
    }

    private static func trimmed(_ text: String) -> [Unicode.Scalar] {
        let isBlank: (Unicode.Scalar) -> Bool = { isControl($0) || $0.properties.isWhitespace }
        var scalars = Array(text.unicodeScalars)
        while let last = scalars.last, isBlank(last) { scalars.removeLast() }
        return Array(scalars.drop(while: isBlank))
    }

    /// Control characters are spaces, but for line ends; no white space at the ends. Nil: nothing is left.
    static func cef(_ text: String) -> String? {
        let scalars = trimmed(text).map { isControl($0) && $0 != "\n" && $0 != "\r" ? " " : $0 }
        return scalars.isEmpty ? nil : String(String.UnicodeScalarView(scalars))
    }

    /// Control characters, bars and the delimiter are spaces; none at the ends.
    static func leef(_ text: String) -> String? {
        var scalars = trimmed(text).map { isControl($0) || $0 == "|" || $0 == "^" ? " " : $0 }
        while scalars.last == " " { scalars.removeLast() }
        scalars = Array(scalars.drop { $0 == " " })
        return scalars.isEmpty ? nil : String(String.UnicodeScalarView(scalars))
    }
}
