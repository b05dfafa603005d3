internal import Events
internal import YAML

/// Reads times of rules: RFC 3339 with its zone, and times counted from the event's own (`now`, `now + 2h`).
struct MomentReader {
    /// The field as the rule names it.
    let name: String

    static let comparisons = "above, at_least, below, at_most and between"

    /// Whether a text is meant to be a time, well written or not.
    static func isMeant(_ text: String) -> Bool {
        isRelative(text) || Timestamp(text) != nil || isDate(text)
    }

    /// Milliseconds since 1970.
    func fixed(_ node: YAMLNode, _ scalar: YAMLScalar, _ diagnostics: inout Diagnostics) -> Int64? {
        if Self.isRelative(scalar.text) {
            diagnostics.error(
                at: node.location, "`\(scalar.displayText)` stands only under \(Self.comparisons)")
            return nil
        }
        return moment(node, scalar, &diagnostics)
    }

    /// An end of a range.
    func bound(
        _ node: YAMLNode, _ scalar: YAMLScalar, isIncluded: Bool, _ diagnostics: inout Diagnostics
    ) -> MomentRange.Bound? {
        let moment: MomentRange.Bound.Moment?
        if Self.isRelative(scalar.text) {
            moment = offset(node, scalar, &diagnostics).map { .relative($0) }
        } else {
            moment = self.moment(node, scalar, &diagnostics).map { .fixed($0) }
        }
        return moment.map { MomentRange.Bound(text: scalar.text, moment: $0, isIncluded: isIncluded) }
    }

    private static func isRelative(_ text: String) -> Bool {
        text.hasPrefix("now") && text.utf8.dropFirst(3).allSatisfy { !(UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0) }
            || text.hasPrefix("now ") || text.hasPrefix("now+") || text.hasPrefix("now-")
    }

    private static func isDate(_ text: String) -> Bool {
        text.utf8.count == 10 && Timestamp(text + "T00:00:00Z") != nil
    }

    private func moment(_ node: YAMLNode, _ scalar: YAMLScalar, _ diagnostics: inout Diagnostics) -> Int64? {
        let text = scalar.text
        if Self.isDate(text) {
            diagnostics.error(
                at: node.location, "`\(text)` is a whole day; write the time it begins, with its zone",
                didYouMean: "\(text)T00:00:00Z")
            return nil
        }
        guard let time = Timestamp(text) else {
            diagnostics.error(
                at: node.location, "\(name) is a time such as 2024-07-30T09:00:00Z, not `\(scalar.displayText)`")
            return nil
        }
        guard Self.hasZone(text) else {
            diagnostics.error(
                at: node.location, "`\(scalar.displayText)` does not say its zone; end it with Z or +02:00",
                didYouMean: Self.inUTC(text))
            return nil
        }
        return time.milliseconds
    }

    /// RFC 3339, section 5.6: `Z`, or an offset with a colon.
    private static func hasZone(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard let last = bytes.last, bytes.count > 19 else { return false }
        if last | 0x20 == UInt8(ascii: "z") { return bytes[bytes.count - 2] != UInt8(ascii: " ") }
        let offset = bytes.suffix(6)
        return offset.contains(UInt8(ascii: ":"))
            && (offset.first == UInt8(ascii: "+") || offset.first == UInt8(ascii: "-"))
    }

    private static func inUTC(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 19 else { return nil }
        let zoned = String(decoding: bytes[..<10] + [UInt8(ascii: "T")] + bytes[11..<19], as: UTF8.self) + "Z"
        return Timestamp(zoned) == nil ? nil : zoned
    }

    /// The milliseconds after the event's own time that `now + 2h` says.
    private func offset(_ node: YAMLNode, _ scalar: YAMLScalar, _ diagnostics: inout Diagnostics) -> Int64? {
        let rest = scalar.text.dropFirst(3).drop { $0 == " " }
        guard let sign = rest.first else { return 0 }
        let amount = rest.dropFirst().drop { $0 == " " }
        guard sign == "+" || sign == "-", !amount.isEmpty else {
            diagnostics.error(
                at: node.location, "write now, now + 2h or now - 30m, not `\(scalar.displayText)`")
            return nil
        }
        let content = YAMLContent.scalar(YAMLScalar(text: String(amount), isPlain: scalar.isPlain))
        let skipped = scalar.text.unicodeScalars.count - String(amount).unicodeScalars.count
        let place = scalar.isPlain ? node.location.advanced(by: skipped) : node.location
        guard let duration = YAMLNode(location: place, content: content).duration(&diagnostics) else { return nil }
        let (seconds, attoseconds) = duration.components
        let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
        return sign == "-" ? -milliseconds : milliseconds
    }
}
