import Testing

@testable import HTTPServer

/// A request as it stands on the wire that a strict server refuses, and what is wrong with it.
struct WireShape: Sendable, CustomTestStringConvertible {
    let name: String
    /// Up to and with the empty line, and where one belongs to it, the body.
    let bytes: [UInt8]
    let violation: HeaderViolation
    /// Refused by the library before our reader sees it, with its own text.
    let isRefusedByLibrary: Bool

    var testDescription: String { name }

    init(_ name: String, _ text: String, _ violation: HeaderViolation, byLibrary: Bool = false) {
        self.name = name
        bytes = Array(text.utf8)
        self.violation = violation
        isRefusedByLibrary = byLibrary
    }

    private static let start = "POST /in/a HTTP/1.1\r\nHost: a\r\n"
    private static let chunks = "2\r\nab\r\n0\r\n\r\n"

    static let all: [WireShape] = framing + lines + names + requestLines

    static let framing = [
        WireShape(
            "Content-Length with Transfer-Encoding",
            start + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks,
            .contentLengthWithTransferEncoding),
        WireShape(
            "Transfer-Encoding with Content-Length",
            start + "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n" + chunks,
            .contentLengthWithTransferEncoding),
        WireShape(
            "two Content-Lengths that differ", start + "Content-Length: 2\r\nContent-Length: 40\r\n\r\nab",
            .contentLengthRepeated),
        WireShape(
            "two Content-Lengths that agree", start + "Content-Length: 2\r\ncontent-length: 2\r\n\r\nab",
            .contentLengthRepeated),
        WireShape(
            "a list of Content-Lengths", start + "Content-Length: 2, 2\r\n\r\nab", .contentLength, byLibrary: true),
        WireShape(
            "a Content-Length with a sign", start + "Content-Length: +2\r\n\r\nab", .contentLength, byLibrary: true),
        WireShape(
            "a hexadecimal Content-Length", start + "Content-Length: 0x2\r\n\r\nab", .contentLength, byLibrary: true),
        WireShape("an empty Content-Length", start + "Content-Length:\r\n\r\nab", .contentLength, byLibrary: true),
        WireShape("an unknown Transfer-Encoding", start + "Transfer-Encoding: gzip\r\n\r\nab", .transferEncoding),
        WireShape(
            "a list of Transfer-Encodings", start + "Transfer-Encoding: gzip, chunked\r\n\r\n" + chunks,
            .transferEncoding),
        WireShape(
            "Transfer-Encoding twice",
            start + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks, .transferEncoding),
        WireShape(
            "a blank after the Transfer-Encoding", start + "Transfer-Encoding: chunked \r\n\r\n" + chunks,
            .transferEncoding),
        WireShape("an empty Transfer-Encoding", start + "Transfer-Encoding:\r\n\r\n" + chunks, .transferEncoding),
        WireShape(
            "Transfer-Encoding in HTTP/1.0",
            "POST /in/a HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks, .transferEncoding),
        WireShape("no Host", "POST /in/a HTTP/1.1\r\nContent-Length: 2\r\n\r\nab", .host),
        WireShape("two Hosts", start + "Host: b\r\nContent-Length: 2\r\n\r\nab", .host),
    ]

    static let lines = [
        WireShape("a bare LF after a header", start + "X-A: b\nX-B: c\r\n\r\n", .lineEnd),
        WireShape("a bare LF after the last header", start + "X-A: b\n\r\n", .strayBytes),
        WireShape("a bare LF as the empty line", start + "X-A: b\r\n\n", .strayBytes),
        WireShape("bare LFs only", "GET /in/a HTTP/1.1\nHost: a\n\n", .lineEnd),
        WireShape("a bare LF after the request line", "GET /in/a HTTP/1.1\nHost: a\r\n\r\n", .lineEnd),
        WireShape("an empty value before a bare LF", start + "X-A:\nX-B: c\r\n\r\n", .lineEnd),
        WireShape("a value folded by a space", start + "X-A: b\r\n cd\r\n\r\n", .folded),
        WireShape("a value folded by a tab", start + "X-A: b\r\n\tcd\r\n\r\n", .folded),
        WireShape("an empty value folded", start + "X-A:\r\n b\r\n\r\n", .folded),
        WireShape("a fold of blanks only", start + "X-A: b\r\n \r\n\r\n", .folded),
        WireShape("a fold before the first header", "GET /in/a HTTP/1.1\r\n Host: a\r\n\r\n", .folded),
        WireShape("a folded framing field", start + "Content-\r\n Length: 2\r\n\r\nab", .folded, byLibrary: true),
        WireShape("NUL in a value", start + "X-A: b\0c\r\n\r\n", .lineEnd),
        WireShape("NUL at the end of a value", start + "X-A: b\0\r\nX-B: c\r\n\r\n", .strayBytes),
        WireShape("NUL at the end of the last value", start + "X-A: b\0\r\n\r\n", .strayBytes),
        WireShape("NUL as a value", start + "X-A: \0\r\n\r\n", .strayBytes),
        WireShape("NULs that look like a line end", start + "X-A: b\0\0Content-Length\0 2\r\n\r\nab", .strayBytes),
        WireShape("a header line that begins with NUL", start + "\0X-A: b\r\n", .strayBytes),
        WireShape("a header line that is NUL", start + "\0\r\n", .strayBytes),
        WireShape("a first header line that begins with NUL", "GET /in/a HTTP/1.0\r\n\0X-A: b\r\n", .strayBytes),
        WireShape("CR in a value", start + "X-A: b\rc\r\n\r\n", .fieldValue),
        WireShape("CR before the line end", start + "X-A: b\r\r\n\r\n", .fieldValue),
        WireShape("a control character in a value", start + "X-A: b\u{1}c\r\n\r\n", .fieldValue),
        WireShape("DEL in a value", start + "X-A: b\u{7f}c\r\n\r\n", .fieldValue),
    ]

    static let names = [
        WireShape("a space before the colon", start + "Content-Length : 2\r\n\r\nab", .spaceBeforeColon),
        WireShape("a tab before the colon", start + "Content-Length\t: 2\r\n\r\nab", .spaceBeforeColon),
        WireShape("a space in a name", start + "X A: b\r\n\r\n", .spaceBeforeColon),
        WireShape("no name", start + ": b\r\n\r\n", .strayBytes),
        WireShape("a parenthesis in a name", start + "X(A): b\r\n\r\n", .fieldName),
        WireShape("an octet above ASCII in a name", start + "X-Ä: b\r\n\r\n", .fieldName),
        WireShape("CR in a name", start + "X\rA: b\r\n\r\n", .fieldName),
        WireShape("NUL in a name", start + "X\0A: b\r\n\r\n", .fieldName, byLibrary: true),
        WireShape("no colon", start + "X-A b\r\n\r\n", .spaceBeforeColon, byLibrary: true),
    ]

    static let requestLines = [
        WireShape("two spaces before the target", "GET  /in/a HTTP/1.1\r\nHost: a\r\n\r\n", .requestLine),
        WireShape("a method that is not a token", "G(T /in/a HTTP/1.1\r\nHost: a\r\n\r\n", .requestLine),
        WireShape("NUL in the method", "G\0T /in/a HTTP/1.1\r\nHost: a\r\n\r\n", .requestLine),
        WireShape("NUL in the target", "GET /in\0/a HTTP/1.1\r\nHost: a\r\n\r\n", .target),
        WireShape("a space in the target", "GET /in /a HTTP/1.1\r\nHost: a\r\n\r\n", .target),
        WireShape("a tab in the target", "GET /in\t/a HTTP/1.1\r\nHost: a\r\n\r\n", .target),
        WireShape("CR in the target", "GET /in\r/a HTTP/1.1\r\nHost: a\r\n\r\n", .target),
        WireShape("an octet above ASCII in the target", "GET /in/ä HTTP/1.1\r\nHost: a\r\n\r\n", .target),
    ]
}
