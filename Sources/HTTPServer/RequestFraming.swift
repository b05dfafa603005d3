internal import HTTPTypes

/// Where a request's body ends (RFC 9112, section 6), read so that no two parsers can disagree about it.
struct RequestFraming: Sendable, Equatable {
    private(set) var contentLength: Int?
    private(set) var isChunked = false
    private var hosts = 0
    private var transferEncodings = 0

    var hasBody: Bool { isChunked || (contentLength ?? 0) > 0 }

    /// Takes note of one field; the value without leading white space.
    mutating func see(name: borrowing Span<UInt8>, value: borrowing Span<UInt8>) throws(HeaderViolation) {
        switch name.count {
        case 4 where Self.equals(name, "host"): hosts += 1
        case 14 where Self.equals(name, "content-length"):
            guard contentLength == nil else { throw .contentLengthRepeated }
            contentLength = try Self.length(value)
        case 17 where Self.equals(name, "transfer-encoding"):
            transferEncodings += 1
            guard Self.equals(value, "chunked") else { throw .transferEncoding }
            isChunked = true
        default: break
        }
    }

    /// What can only be judged once all fields were seen.
    func finish(isVersion10: Bool) throws(HeaderViolation) {
        guard transferEncodings <= 1 else { throw .transferEncoding }
        if isChunked {
            guard contentLength == nil else { throw .contentLengthWithTransferEncoding }
            guard !isVersion10 else { throw .transferEncoding }
        }
        guard hosts <= 1, hosts == 1 || isVersion10 else { throw .host }
    }

    private static func length(_ value: borrowing Span<UInt8>) throws(HeaderViolation) -> Int {
        guard !value.isEmpty, value.count <= 18 else { throw .contentLength }
        var length = 0
        for index in 0..<value.count {
            let digit = value[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { throw .contentLength }
            length = length * 10 + Int(digit)
        }
        return length
    }

    /// Without regard to ASCII case; `expected` in lower case.
    private static func equals(_ span: borrowing Span<UInt8>, _ expected: StaticString) -> Bool {
        guard span.count == expected.utf8CodeUnitCount else { return false }
        // A StaticString's bytes live as long as the program and are as many as its count says.
        for index in 0..<span.count {
            let byte = span[index]
            let folded = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
            guard unsafe folded == expected.utf8Start[index] else { return false }
        }
        return true
    }
}

/// What makes a header section one that is refused. Each is 400, but `tooManyFields` and `tooLong`, which are 431.
enum HeaderViolation: String, Error, Sendable, CaseIterable {
    case requestLine, target, lineEnd, folded, spaceBeforeColon, fieldName, fieldValue, strayBytes
    case tooManyFields, tooLong
    case contentLength, contentLengthRepeated, contentLengthWithTransferEncoding, transferEncoding, host

    var detail: String {
        switch self {
        case .requestLine: "The request line is not `method target HTTP/1.1` with single spaces."
        case .target: "The request target holds a character that must be percent-encoded."
        case .lineEnd: "A header line does not end in CR LF, or a value holds NUL."
        case .folded: "A header value goes on over several lines, which is obsolete."
        case .spaceBeforeColon: "White space stands between a header name and its colon."
        case .fieldName: "A header name holds a character that names may not have."
        case .fieldValue: "A header value holds a control character."
        case .strayBytes: "A header line is empty or begins with NUL."
        case .tooManyFields: "The request has more header fields than are taken."
        case .tooLong: "The request line and header section are longer than is taken."
        case .contentLength: "Content-Length is not a number of bytes."
        case .contentLengthRepeated: "Content-Length is given more than once."
        case .contentLengthWithTransferEncoding: "Content-Length and Transfer-Encoding are given together."
        case .transferEncoding: "Transfer-Encoding is not exactly `chunked`, once, in HTTP/1.1."
        case .host: "Host is missing or given more than once."
        }
    }
}

extension RequestFraming {
    /// As above, for a field that was read by other means; checks its characters too.
    mutating func see(_ field: HeaderField) throws(HeaderViolation) {
        let (name, value) = (Array(field.name.utf8), Array(field.value.utf8))
        guard !name.isEmpty, name.allSatisfy(Octets.isToken) else { throw .fieldName }
        guard !value.contains(where: Octets.isControl) else { throw .fieldValue }
        try see(name: name.span, value: value.span)
    }
}
