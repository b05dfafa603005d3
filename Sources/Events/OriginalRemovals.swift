package import JSON

/// Members that are cut out of a payload's text before anything is written, every other byte unchanged.
package struct OriginalRemovals: Sendable, Equatable {
    /// The member's key and value, as one range of the payload's text.
    private var members: [Range<Int>] = []

    package init() {}

    package var isEmpty: Bool { members.isEmpty }

    package mutating func removeAll() { members.removeAll(keepingCapacity: true) }

    /// Marks one member of an object.
    package mutating func remove(_ tape: JSONTape, key: JSONIndex, value: JSONIndex) {
        members.append(tape.span(key).lowerBound..<tape.span(value).upperBound)
    }

    /// Appends the text of `span` without the marked members, and without the comma each of them no longer needs.
    package func append(_ tape: JSONTape, _ span: Range<Int>, to bytes: inout [UInt8]) {
        var position = span.lowerBound
        for cut in cuts(tape.bytes, in: span) {
            bytes.append(contentsOf: tape.bytes[position..<cut.lowerBound])
            position = cut.upperBound
        }
        bytes.append(contentsOf: tape.bytes[position..<span.upperBound])
    }

    /// The members' ranges, each with the comma that follows it or, for the last one, the comma before it. Neighbours
    /// that are cut together make one range, so that no comma is counted twice or left over.
    private func cuts(_ text: [UInt8], in span: Range<Int>) -> [Range<Int>] {
        var result: [Range<Int>] = []
        let inside = members.filter { span.contains($0.lowerBound) }.sorted { $0.lowerBound < $1.lowerBound }
        for member in inside where (result.last?.upperBound ?? 0) <= member.lowerBound {
            let after = Self.skipSpace(text, from: member.upperBound, limit: span.upperBound, step: 1)
            if after < span.upperBound, text[after] == UInt8(ascii: ",") {
                result.append(member.lowerBound..<after + 1)
            } else {
                var lower = member.lowerBound
                // What precedes may have been cut with its own comma: then the comma before that one goes too.
                while let previous = result.last, Self.isSpace(text, previous.upperBound..<lower) {
                    lower = previous.lowerBound
                    result.removeLast()
                }
                let before = Self.skipSpace(text, from: lower - 1, limit: span.lowerBound - 1, step: -1)
                let comma = before >= span.lowerBound && text[before] == UInt8(ascii: ",")
                result.append((comma ? before : lower)..<member.upperBound)
            }
        }
        return result
    }

    private static func skipSpace(_ text: [UInt8], from start: Int, limit: Int, step: Int) -> Int {
        var position = start
        while position != limit, isSpace(text[position]) { position += step }
        return position
    }

    private static func isSpace(_ text: [UInt8], _ range: Range<Int>) -> Bool {
        text[range].allSatisfy(isSpace)
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }
}
