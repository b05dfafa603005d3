package import Addresses
package import HTTPTypes

/// What came before a request's body.
package struct HTTPRequestHead: Sendable {
    package let method: String
    /// As received, nothing decoded.
    package let target: String
    /// The target up to `?`, as received; for a target in absolute form (RFC 9112, section 3.2.2) its path.
    package let path: String
    /// What follows the first `?`, as received.
    package let query: String?
    /// In the order received.
    package let headers: HeaderFields
    /// `nil` on a Unix socket.
    package let peer: IPAddress?
    /// `nil` when the body is chunked or there is none.
    package let contentLength: Int?
    /// Whether a body follows: chunked, or a Content-Length above 0.
    package let hasBody: Bool
    /// When the header section was complete: `CLOCK_MONOTONIC`, nanoseconds.
    package let receivedAt: UInt64
    /// When the request began to arrive: the same clock.
    package let startedAt: UInt64

    package init(
        method: String, target: String, headers: HeaderFields = [:], peer: IPAddress? = nil,
        contentLength: Int? = nil, hasBody: Bool? = nil, receivedAt: UInt64 = 0, startedAt: UInt64? = nil
    ) {
        self.method = method
        self.target = target
        (path, query) = Self.split(target)
        self.headers = headers
        self.peer = peer
        self.contentLength = contentLength
        self.hasBody = hasBody ?? ((contentLength ?? 0) > 0)
        self.receivedAt = receivedAt
        self.startedAt = startedAt ?? receivedAt
    }

    private static func split(_ target: String) -> (String, String?) {
        let bytes = target.utf8
        var start = bytes.startIndex
        if bytes.first != UInt8(ascii: "/"), let authority = authority(of: target) {
            guard
                let slash = bytes[authority...].firstIndex(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }
                )
            else { return ("/", nil) }
            start = slash
            if bytes[slash] == UInt8(ascii: "?") { return ("/", String(target[bytes.index(after: slash)...])) }
        }
        guard let mark = bytes[start...].firstIndex(of: UInt8(ascii: "?")) else {
            return (start == bytes.startIndex ? target : String(target[start...]), nil)
        }
        return (String(target[start..<mark]), String(target[bytes.index(after: mark)...]))
    }

    private static func authority(of target: String) -> String.Index? {
        for scheme in ["http://", "https://"] {
            let end = target.utf8.index(target.startIndex, offsetBy: scheme.utf8.count, limitedBy: target.endIndex)
            if let end, HeaderFields.matches(String(target[..<end]), scheme) { return end }
        }
        return nil
    }
}

/// Takes the requests of a server.
package protocol HTTPHandler: AnyObject, Sendable {
    /// Decides by the head alone, before `100 Continue` and before any of the body is read. Runs on a server thread:
    /// must not block.
    func receive(_ head: HTTPRequestHead) -> HTTPAdmission
    /// How long a request to this target may take to arrive, asked when its request line is here; nil: as the server's
    /// deadlines say. Such a request is also served on one of the connections kept beyond the limit. Runs on a server
    /// thread: must not block.
    func patience(target: String) -> HTTPPatience?
}

extension HTTPHandler {
    package func patience(target: String) -> HTTPPatience? { nil }
}

/// How long a request may take to arrive, for a client that gives up soon.
package struct HTTPPatience: Sendable {
    /// From its first byte to the end of its body; the server may be up to a quarter of a second short of it.
    package var limit: Duration
    /// What the client gets when that time is over, and the connection is closed. Not over TLS, where the connection just
    /// closes.
    package var answer: HTTPResponse

    package init(limit: Duration, answer: HTTPResponse) {
        self.limit = limit
        self.answer = answer
        self.answer.closesConnection = true
    }
}

/// What becomes of a request once its head is known.
package enum HTTPAdmission: Sendable {
    /// Answered at once. Where a body follows, none of it is read and the connection is closed.
    case refuse(HTTPResponse)
    /// The body goes to the receiver; beyond `maximumBody` bytes the client gets 413, before the body when it announced
    /// its length, else when the limit is passed.
    case accept(maximumBody: Int, any HTTPBodyReceiver)
}

/// Takes one request's body. Its functions are called one after the other on a server thread and must not block.
package protocol HTTPBodyReceiver: AnyObject, Sendable {
    /// A piece of the body, valid during the call. A response refuses the request at once and closes the connection;
    /// then neither `finish` nor `abandon` follows.
    func receive(_ chunk: UnsafeRawBufferPointer) -> HTTPResponse?
    /// The whole body is here. Answer the exchange once, now or later, from any thread.
    func finish(_ exchange: HTTPExchange)
    /// The body will not be complete; `finish` does not follow.
    func abandon(_ reason: HTTPAbandonReason)
}

/// Why a body was given up.
package enum HTTPAbandonReason: String, Sendable {
    case connectionClosed, timedOut, bodyTooLarge, malformed, shuttingDown
}

/// Collects a small body whole, then calls back.
package final class BufferedBody: HTTPBodyReceiver {
    package let maximum: Int
    // Only the server thread of this request touches it, one call after the other (HTTPBodyReceiver).
    private nonisolated(unsafe) var bytes: [UInt8] = []
    private let complete: @Sendable ([UInt8], HTTPExchange) -> Void

    /// - Parameters:
    ///   - maximum: bytes; to be given to `HTTPAdmission.accept` too.
    ///   - expecting: the announced length, if known.
    package init(
        maximum: Int, expecting: Int? = nil, complete: @escaping @Sendable (_ body: [UInt8], HTTPExchange) -> Void
    ) {
        self.maximum = maximum
        self.complete = complete
        // An announcement is not a body: what a client only promises reserves little.
        if let expecting { unsafe bytes.reserveCapacity(min(expecting, maximum, 64 * 1024)) }
    }

    package func receive(_ chunk: UnsafeRawBufferPointer) -> HTTPResponse? {
        unsafe bytes.append(contentsOf: chunk)
        return nil
    }

    package func finish(_ exchange: HTTPExchange) {
        let body = unsafe bytes
        unsafe bytes = []
        complete(body, exchange)
    }

    package func abandon(_ reason: HTTPAbandonReason) {
        unsafe bytes = []
    }
}

extension HTTPAdmission {
    /// Accepts a body of at most `maximum` bytes and hands it over whole.
    package static func buffered(
        _ head: HTTPRequestHead, maximum: Int,
        complete: @escaping @Sendable (_ body: [UInt8], HTTPExchange) -> Void
    ) -> HTTPAdmission {
        .accept(
            maximumBody: maximum,
            BufferedBody(maximum: maximum, expecting: head.contentLength, complete: complete))
    }
}
