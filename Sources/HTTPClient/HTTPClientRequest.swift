package import Addresses
package import HTTPTypes

/// One HTTP/1.1 request to send.
package struct HTTPClientRequest: Sendable {
    package var method: String
    /// Absolute, `http` or `https`, without credentials.
    package var url: String
    /// Sent as they are, in this order. `Content-Length`, `Transfer-Encoding`, `Connection` and `Expect` are the
    /// client's own.
    package var headers: HeaderFields
    package var body: [UInt8]
    /// For everything from `send` to the last byte of the answer.
    package var timeout: Duration
    /// For the look-up, the connection and the TLS handshake, within `timeout`.
    package var connectTimeout: Duration
    package var tls: TLSOptions
    /// Which addresses may be reached; nil: any, for destinations the program itself chose.
    package var addressGuard: AddressGuard?
    /// The path of a Unix socket to send to instead of the URL's host. The guard does not apply there.
    package var unixSocket: String?
    /// What is kept of the answer's body; the rest is read and dropped.
    package var maximumResponseBytes: Int
    /// `http://host:port` or `https://host:port`; nil: none, whatever the environment says. Every request goes through
    /// it by CONNECT, and the guard applies to the proxy and to the destination alike.
    package var proxy: String?

    package init(
        method: String = "POST", url: String, headers: HeaderFields = [:], body: [UInt8] = [],
        timeout: Duration = .seconds(30), connectTimeout: Duration = .seconds(10), tls: TLSOptions = TLSOptions(),
        addressGuard: AddressGuard? = nil, unixSocket: String? = nil, maximumResponseBytes: Int = 65536,
        proxy: String? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.connectTimeout = connectTimeout
        self.tls = tls
        self.addressGuard = addressGuard
        self.unixSocket = unixSocket
        self.maximumResponseBytes = maximumResponseBytes
        self.proxy = proxy
    }
}

/// The final answer to a request. Redirects are answers like any other.
package struct HTTPClientResponse: Sendable, Hashable {
    package var status: Int
    /// The header's lines as they came, each with its line break.
    package var headerLines: [UInt8]
    /// The body's first `maximumResponseBytes` bytes.
    package var body: [UInt8]
    /// Whether the answer's body was longer than `body`.
    package var isTruncated: Bool
    /// From the moment the request was taken up to the end of the answer.
    package var duration: Duration

    package init(
        status: Int, headerLines: [UInt8], body: [UInt8] = [], isTruncated: Bool = false, duration: Duration = .zero
    ) {
        self.status = status
        self.headerLines = headerLines
        self.body = body
        self.isTruncated = isTruncated
        self.duration = duration
    }

    package init(
        status: Int, headers: HeaderFields = [:], body: [UInt8] = [], isTruncated: Bool = false,
        duration: Duration = .zero
    ) {
        self.init(
            status: status, headerLines: headers.fields.flatMap { Array("\($0.name): \($0.value)\r\n".utf8) },
            body: body,
            isTruncated: isTruncated, duration: duration)
    }

    /// The fields in the lines, read at each call: most answers' are never looked at.
    package var headers: HeaderFields {
        var fields: [HeaderField] = []
        for line in headerLines.split(separator: UInt8(ascii: "\n")) {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
                let first = line.first, first != UInt8(ascii: " "), first != UInt8(ascii: "\t")
            else { continue }
            let value = Self.trimmed(line[(colon + 1)...])
            fields.append(HeaderField(String(decoding: line[..<colon], as: UTF8.self), value))
        }
        return HeaderFields(fields)
    }

    private static func trimmed(_ value: ArraySlice<UInt8>) -> String {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0d }
        guard let first = value.firstIndex(where: { !isSpace($0) }), let last = value.lastIndex(where: { !isSpace($0) })
        else { return "" }
        return String(decoding: value[first...last], as: UTF8.self)
    }
}
