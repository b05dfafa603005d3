internal import HTTPTypes

/// A request's header section as libmicrohttpd 0.9.75 leaves it in its read buffer, read strictly.
///
/// That version parses in place and is lenient. It turns the two bytes of every line end into zeros (a bare LF into one
/// zero), the space after the method, the space before the version and each colon too. So the bytes between the method
/// and the end of the empty line tell what its header interface hides: `method 0 target 0 version 00 (name 0 value 00)*
/// 00`, and nothing else. A byte that stands anywhere else is a line end or a control character a strict parser refuses.
///
/// One thing cannot be told: a NUL in the place of a CR, as both are zeros here.
struct HeaderBlock {
    private(set) var fields: [HeaderField] = []
    private(set) var framing = RequestFraming()

    /// - Parameters:
    ///   - block: from the method's first byte to the end of the empty line.
    ///   - targetOffset: where the target begins in it; its bytes were rewritten since and are not read.
    ///   - targetLength: bytes of the target before it was rewritten, up to its first NUL.
    ///   - versionOffset: where `HTTP/1.1` begins.
    ///   - fieldCount: fields as the library counted them.
    init(
        _ block: borrowing Span<UInt8>, targetOffset: Int, targetLength: Int, versionOffset: Int, fieldCount: Int,
        maximumCount: Int
    ) throws(HeaderViolation) {
        try Self.checkRequestLine(
            block, targetOffset: targetOffset, targetLength: targetLength, versionOffset: versionOffset)
        var position = versionOffset + 8
        try Self.checkLineEnd(block, at: position, .lineEnd)
        let minor = block[position - 1]
        position += 2
        guard fieldCount <= maximumCount else { throw .tooManyFields }
        fields.reserveCapacity(fieldCount)
        while position + 2 != block.count {
            position = try readField(block, from: position)
            guard fields.count <= fieldCount else { throw .strayBytes }
        }
        try Self.checkLineEnd(block, at: position, .strayBytes)
        guard fields.count == fieldCount else { throw .strayBytes }
        try framing.finish(isVersion10: minor == UInt8(ascii: "0"))
    }

    private static func checkRequestLine(
        _ block: borrowing Span<UInt8>, targetOffset: Int, targetLength: Int, versionOffset: Int
    ) throws(HeaderViolation) {
        guard targetOffset >= 2, targetOffset < versionOffset, versionOffset + 8 <= block.count,
            block[targetOffset - 1] == 0, block[versionOffset - 1] == 0
        else { throw .requestLine }
        for index in 0..<(targetOffset - 1) where !Octets.isToken(block[index]) { throw .requestLine }
        guard targetOffset + targetLength + 1 == versionOffset else { throw .target }
    }

    /// One field from its name's first byte; the position after its line end.
    private mutating func readField(
        _ block: borrowing Span<UInt8>, from start: Int
    ) throws(HeaderViolation) -> Int {
        var position = start
        while position < block.count, Octets.isToken(block[position]) { position += 1 }
        guard position < block.count else { throw .strayBytes }
        if position == start {
            throw block[start] == 0 ? .strayBytes : Octets.isBlank(block[start]) ? .folded : .fieldName
        }
        guard block[position] == 0 else { throw Octets.isBlank(block[position]) ? .spaceBeforeColon : .fieldName }
        let name = start..<position
        position += 1
        while position < block.count, Octets.isBlank(block[position]) { position += 1 }
        let valueStart = position
        var hasControl = false
        while position < block.count, block[position] != 0 {
            hasControl = hasControl || Octets.isControl(block[position])
            position += 1
        }
        guard !hasControl else { throw .fieldValue }
        try Self.checkLineEnd(block, at: position, .lineEnd)
        // With its trailing white space: the library reads `chunked ` as a coding it does not know.
        try framing.see(name: block.extracting(name), value: block.extracting(valueStart..<position))
        var valueEnd = position
        while valueEnd > valueStart, Octets.isBlank(block[valueEnd - 1]) { valueEnd -= 1 }
        fields.append(HeaderField(Self.text(block, name), Self.text(block, valueStart..<valueEnd)))
        return position + 2
    }

    private static func checkLineEnd(
        _ block: borrowing Span<UInt8>, at position: Int, _ violation: HeaderViolation
    ) throws(HeaderViolation) {
        guard position + 2 <= block.count, block[position] == 0, block[position + 1] == 0 else { throw violation }
    }

    private static func text(_ block: borrowing Span<UInt8>, _ range: Range<Int>) -> String {
        // The pointer stays inside the closure; the range was checked by `extracting`.
        unsafe block.extracting(range).withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }
}

/// Classes of octets in a header section (RFC 9110, section 5.6).
enum Octets {
    @inline(__always)
    static func isToken(_ byte: UInt8) -> Bool {
        let mask = byte < 64 ? lowTokens : highTokens
        return byte < 128 && mask & (1 << UInt64(byte & 63)) != 0
    }

    @inline(__always)
    static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    @inline(__always)
    static func isControl(_ byte: UInt8) -> Bool { byte < 0x20 && byte != 0x09 || byte == 0x7f }

    @inline(__always) private static var lowTokens: UInt64 { 0x03ff_6cfa_0000_0000 }
    @inline(__always) private static var highTokens: UInt64 { 0x57ff_ffff_c7ff_fffe }
}
