/// Values as a reader wants them. Each gives nil and an error at the value's place when it is something else; a value
/// whose reference has no value yet (see `YAMLScalar.isResolved`) gives nil without a further error, except as a text.
extension YAMLNode {
    /// A text: any scalar but an unquoted null.
    package func string(_ diagnostics: inout Diagnostics) -> String? {
        guard let scalar = expectScalar("a text", &diagnostics) else { return nil }
        return scalar.text
    }

    /// A text that is not empty.
    package func name(_ diagnostics: inout Diagnostics) -> String? {
        guard let text = string(&diagnostics) else { return nil }
        guard !text.isEmpty else {
            diagnostics.error(at: location, "expected a text, found an empty one")
            return nil
        }
        return text
    }

    /// A whole number in decimal digits.
    package func integer(in range: ClosedRange<Int>, _ diagnostics: inout Diagnostics) -> Int? {
        let wanted = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        guard let scalar = expectScalar(wanted, &diagnostics), scalar.isResolved else { return nil }
        guard let value = Self.wholeNumber(scalar.text), range.contains(value) else {
            diagnostics.error(at: location, "expected \(wanted), found `\(scalar.displayText)`")
            return nil
        }
        return value
    }

    /// Exactly `true` or `false`, without quotes.
    package func boolean(_ diagnostics: inout Diagnostics) -> Bool? {
        guard let scalar = expectScalar("true or false", &diagnostics), scalar.isResolved else { return nil }
        let isUnquoted = scalar.isPlain || scalar.reference != nil
        switch scalar.text {
        case "true" where isUnquoted: return true
        case "false" where isUnquoted: return false
        default:
            let meant = Self.meantBoolean(scalar.text)
            let quotes = isUnquoted ? "" : ", without quotes"
            diagnostics.error(
                at: location, "write true or false\(quotes), not `\(scalar.displayText)`",
                didYouMean: scalar.reference == nil ? meant.map { String($0) } : nil)
            return nil
        }
    }

    /// A span of time with one unit: `300ms`, `10s`, `5m`, `24h`, `7d`; at most 100 years.
    package func duration(_ diagnostics: inout Diagnostics) -> Duration? {
        guard let scalar = expectScalar("a duration such as 10s", &diagnostics), scalar.isResolved else { return nil }
        switch Quantity.duration(scalar.text) {
        case .value(let milliseconds): return .milliseconds(milliseconds)
        case .wrong(let suggestion):
            diagnostics.error(
                at: location,
                "expected a duration such as 300ms, 10s, 5m, 24h or 7d, found `\(scalar.displayText)`",
                didYouMean: scalar.reference == nil ? suggestion : nil)
            return nil
        }
    }

    /// A duration within limits.
    package func duration(in range: ClosedRange<Duration>, _ diagnostics: inout Diagnostics) -> Duration? {
        guard let value = duration(&diagnostics) else { return nil }
        guard range.contains(value) else {
            let limits = "\(Quantity.text(range.lowerBound)) to \(Quantity.text(range.upperBound))"
            diagnostics.error(at: location, "expected a duration from \(limits), found `\(scalar?.displayText ?? "")`")
            return nil
        }
        return value
    }

    /// A number of bytes: `500B`, `1KiB`, `64MiB`, `20GiB`, `1TiB`, or plain digits.
    package func size(_ diagnostics: inout Diagnostics) -> Int? {
        guard let scalar = expectScalar("a size such as 64MiB", &diagnostics), scalar.isResolved else { return nil }
        switch Quantity.size(scalar.text) {
        case .value(let bytes): return Int(bytes)
        case .wrong(let suggestion):
            diagnostics.error(
                at: location, "expected a size such as 500B, 1KiB, 64MiB or 20GiB, found `\(scalar.displayText)`",
                didYouMean: scalar.reference == nil ? suggestion : nil)
            return nil
        }
    }

    /// One or many: the elements of a list, or the value itself as a list of one.
    package func list(_ diagnostics: inout Diagnostics) -> [YAMLNode] {
        if let elements { return elements }
        if isNull {
            diagnostics.error(at: location, "expected one value or a list, found nothing")
            return []
        }
        return [self]
    }

    /// One text or a list of texts.
    package func strings(_ diagnostics: inout Diagnostics) -> [String] {
        var texts: [String] = []
        for element in list(&diagnostics) {
            if let text = element.string(&diagnostics) { texts.append(text) }
        }
        return texts
    }

    /// One of these words, exactly.
    package func choice(of words: [String], _ diagnostics: inout Diagnostics) -> String? {
        let wanted = "one of \(words.joined(separator: ", "))"
        guard let scalar = expectScalar(wanted, &diagnostics), scalar.isResolved else { return nil }
        guard words.contains(scalar.text) else {
            diagnostics.error(
                at: location, "expected \(wanted), found `\(scalar.displayText)`",
                didYouMean: scalar.reference == nil ? nearest(scalar.text, among: words) : nil)
            return nil
        }
        return scalar.text
    }

    /// The entries of a mapping.
    package func mapping(_ what: String, _ diagnostics: inout Diagnostics) -> [YAMLEntry]? {
        guard let entries else {
            diagnostics.error(at: location, "\(what) must be a mapping (`key: value`), found \(kindName)")
            return nil
        }
        return entries
    }

    private func expectScalar(_ wanted: String, _ diagnostics: inout Diagnostics) -> YAMLScalar? {
        guard let scalar else {
            diagnostics.error(at: location, "expected \(wanted), found \(kindName)")
            return nil
        }
        guard !scalar.isNull else {
            let hint =
                scalar.text.isEmpty
                ? "found nothing; remove the key, or write \"\" for an empty text"
                : "found null; remove the key, or write \"\(scalar.text)\" for the word"
            diagnostics.error(at: location, "expected \(wanted), \(hint)")
            return nil
        }
        return scalar
    }

    /// Decimal digits with an optional minus; no leading zeros, which elsewhere would mean octal.
    private static func wholeNumber(_ text: String) -> Int? {
        let digits = text.utf8.drop { $0 == UInt8(ascii: "-") }
        guard text.utf8.count - digits.count <= 1, let first = digits.first, digits.allSatisfy({ 0x30...0x39 ~= $0 }),
            first != 0x30 || digits.count == 1
        else { return nil }
        return Int(text)
    }

    private static func meantBoolean(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "yes", "on", "y", "1": true
        case "false", "no", "off", "n", "0": false
        default: nil
        }
    }
}
