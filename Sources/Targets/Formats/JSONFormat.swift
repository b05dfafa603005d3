import Events

/// The canonical event: a structured CloudEvent.
package struct JSONFormat: EventFormat {
    package let name = "json"
    package let lineOpening = #"{"specversion":"1.0""#

    package init() {}

    package func render(_ outgoing: OutgoingEvent, _ options: RenderingOptions) throws(RenderingError) -> [UInt8] {
        var line = options.policy.payload(of: outgoing.event)
        if let limit = options.limit, line.count > limit {
            line = try JSONShortener(outgoing.event, limit: limit).shortened()
        }
        Self.joinLines(&line)
        return line
    }

    /// Between tokens a sender's own text may hold line ends, where any white space means the same; inside texts JSON
    /// does not allow them.
    static func joinLines(_ line: inout [UInt8]) {
        guard line.contains(where: isLineEnd) else { return }
        for position in line.indices where isLineEnd(line[position]) { line[position] = UInt8(ascii: " ") }
    }

    private static func isLineEnd(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
    }
}
