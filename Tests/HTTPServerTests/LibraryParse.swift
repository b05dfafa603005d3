@testable import HTTPServer

/// What libmicrohttpd 0.9.75 makes of a request in its buffer, as far as the header block goes: line ends, the spaces of
/// the request line and each line's first colon become zeros. Written down from its behaviour, so that the reader of the
/// block is tested without it; the tests over sockets are the judge.
struct LibraryParse {
    var block: [UInt8]
    var targetOffset = 0
    var targetLength = 0
    var versionOffset = 0
    var fieldCount = 0

    /// `nil` where the library refuses by itself.
    init?(_ wire: [UInt8]) {
        block = wire
        guard var lineStart = Self.endLine(&block, from: 0), readRequestLine(end: lineStart) else { return nil }
        while true {
            let start = lineStart
            guard let next = Self.endLine(&block, from: start) else { return nil }
            lineStart = next
            if block[start] == 0 {
                block.removeSubrange(next...)
                return
            }
            let isFold = block[start] == 0x20 || block[start] == 0x09
            let text = block[start..<next].prefix { $0 != 0 }
            if let colon = text.firstIndex(of: UInt8(ascii: ":")) {
                if !isFold { block[colon] = 0 }
            } else if !isFold {
                return nil
            }
            if !isFold { fieldCount += 1 }
        }
    }

    private mutating func readRequestLine(end: Int) -> Bool {
        let line = block[..<end]
        guard let space = line.firstIndex(of: 0x20) else { return false }
        block[space] = 0
        targetOffset = space + 1
        while targetOffset < end, block[targetOffset] == 0x20 { targetOffset += 1 }
        let content = line[targetOffset...].lastIndex { $0 != 0 } ?? targetOffset
        guard let last = line[targetOffset...content].lastIndex(of: 0x20), content - last == 8 else { return false }
        block[last] = 0
        versionOffset = last + 1
        targetLength = block[targetOffset...].firstIndex(of: 0)! - targetOffset
        return true
    }

    /// Zeros the end of the line; the start of the next one.
    private static func endLine(_ bytes: inout [UInt8], from start: Int) -> Int? {
        guard let end = bytes[start...].firstIndex(of: 10) else { return nil }
        bytes[end] = 0
        if end > start, bytes[end - 1] == 13 { bytes[end - 1] = 0 }
        return end + 1
    }

    func read(maximumCount: Int = 100) throws(HeaderViolation) -> HeaderBlock {
        try HeaderBlock(
            block.span, targetOffset: targetOffset, targetLength: targetLength, versionOffset: versionOffset,
            fieldCount: fieldCount, maximumCount: maximumCount)
    }
}
