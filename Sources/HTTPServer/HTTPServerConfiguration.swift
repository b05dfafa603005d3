package import Addresses

/// How one server listens and what it allows.
package struct HTTPServerConfiguration: Sendable {
    package var listen: HTTPListenAddress
    /// `nil`: plain HTTP.
    package var tls: HTTPServerTLS?
    /// Threads that run the handler, 1 to 64.
    package var threads: Int
    /// Connections held open at once. A new client beyond it takes the place of the longest idle connection, or of the
    /// slowest one still sending its headers; when all are at work it gets 503 and is closed.
    package var connections: Int
    /// From the first byte of a request (or from connecting) to the end of its header section.
    package var headerDeadline: Duration
    /// From the end of the header section to the end of the body.
    package var bodyDeadline: Duration
    /// From the answer to the client having read it whole.
    package var replyDeadline: Duration
    /// Between an answer and the next request on the same connection.
    package var idleTimeout: Duration
    /// Request line and header section together; beyond it 431. Each connection that was served holds this much memory
    /// and a quarter more, which is cleared after each request.
    package var maxHeaderBytes: Int
    /// Header fields of one request; beyond it 431.
    package var maxHeaderCount: Int
    /// Told of every request the server refused by itself. Called on one of the server's threads: must not block.
    package var onRefusal: (@Sendable (HTTPRefusal) -> Void)?

    /// File descriptors the server may hold at once, for `FileDescriptorLimit.raise`.
    package var descriptorsNeeded: Int {
        connections + ServerCore.surplus + ServerCore.mostUrgent + LingeringSockets.maximum + 16 + 2 * threads
    }

    package init(listen: HTTPListenAddress, tls: HTTPServerTLS? = nil) {
        self.listen = listen
        self.tls = tls
        threads = 2
        connections = 10_000
        headerDeadline = .seconds(10)
        bodyDeadline = .seconds(60)
        replyDeadline = .seconds(120)
        idleTimeout = .seconds(60)
        maxHeaderBytes = 16 * 1024
        maxHeaderCount = 100
        onRefusal = nil
    }
}

/// PEM files: the certificate with its chain, the server's own first, and its private key.
package struct HTTPServerTLS: Sendable, Hashable {
    package var certificatePath: String
    package var keyPath: String

    package init(certificatePath: String, keyPath: String) {
        self.certificatePath = certificatePath
        self.keyPath = keyPath
    }
}

/// A request the server refused before a handler could.
package struct HTTPRefusal: Sendable {
    /// The peer of the connection; `nil` on a Unix socket.
    package var address: IPAddress?
    /// As received, up to `?`; `nil` when the request line never arrived.
    package var path: String?
    package var status: Int
    /// Stable, as in the problem details the client got.
    package var code: String
    package var detail: String
}

/// Why a server could not be made.
package struct HTTPServerError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        case address, addressInUse, listen, socketFile, certificate, library, descriptors
    }

    package let code: Code
    /// What is wrong and what to do.
    package let message: String
    /// The `errno` behind it, or 0.
    package let systemError: Int32

    package init(_ code: Code, _ message: String, systemError: Int32 = 0) {
        self.code = code
        self.message = message
        self.systemError = systemError
    }

    package var description: String { message }
}

/// Where a server listens.
package enum HTTPListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// An IPv4 or IPv6 literal, without brackets; port 0 lets the kernel choose.
    case tcp(host: String, port: Int)
    /// A socket file with these permission bits; a stale file is replaced, one that answers is not.
    case unix(path: String, mode: UInt32 = 0o600)

    /// Reads `127.0.0.1:8080` or `[::1]:8080`.
    package init(parsing text: String) throws(HTTPServerError) {
        let example = "write an address and a port, such as 127.0.0.1:8080 or [::1]:8080"
        guard let colon = text.lastIndex(of: ":") else {
            throw HTTPServerError(.address, "\(text) has no port: \(example)")
        }
        var host = String(text[..<colon])
        let digits = text[text.index(after: colon)...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let port = Int(digits), port <= 65535
        else { throw HTTPServerError(.address, "\(text): a port is a number from 0 to 65535: \(example)") }
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            guard host.contains(":") else {
                throw HTTPServerError(.address, "\(text): only an IPv6 address stands in brackets: \(example)")
            }
        } else if host.contains(":") {
            throw HTTPServerError(.address, "\(text): an IPv6 address needs brackets: [\(host)]:\(port)")
        }
        guard IPAddress(host) != nil else {
            throw HTTPServerError(
                .address, "\(text): \(host) is not an IP address (names are not looked up): \(example)")
        }
        self = .tcp(host: host, port: port)
    }

    package var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path, _): path
        }
    }
}
