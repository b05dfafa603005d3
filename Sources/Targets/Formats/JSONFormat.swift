import Events
import Glibc

/// The canonical event: a structured CloudEvent.
package struct JSONFormat: EventFormat {
    package let name = "json"
    package let lineOpening = #"{"specversion":"1.0""#

    package init() {}

    package func render(_ outgoing: OutgoingEvent, _ options: RenderingOptions) throws(RenderingError) -> [UInt8] {
        var line = options.policy.payload(of: outgoing.event)
        if let limit = options.limit, line.count > limit {
            var shortener = JSONShortener(outgoing.event, limit: limit)
            line = try shortener.shortened()
        }
        Self.joinLines(&line)
        return line
    }

    /// Between tokens a sender's own text may hold line ends, where any white space means the same; inside texts JSON
    /// does not allow them.
    static func joinLines(_ line: inout [UInt8]) {
        guard contains(line, "\n") || contains(line, "\r") else { return }
        for position in line.indices where isLineEnd(line[position]) { line[position] = UInt8(ascii: " ") }
    }

    private static func contains(_ line: [UInt8], _ character: Unicode.Scalar) -> Bool {
        // The C library looks at many bytes at once, and at none behind the count.
        unsafe line.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return false }
            return unsafe memchr(start, Int32(character.value), bytes.count) != nil
        }
    }

    private static func isLineEnd(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
    }
}
