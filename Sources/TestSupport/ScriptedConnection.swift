import Glibc
package import HTTPTypes

/// A request as a scripted server read it.
package struct ScriptedRequest: Sendable, Hashable {
    package var method: String
    package var target: String
    package var headers: HeaderFields
    package var body: [UInt8]
    /// Which connection of the server it came on, counted from 0.
    package var connection: Int
}

/// The server's side of one connection: blocking calls for its script.
package final class ScriptedConnection {
    /// Counted from 0.
    package let number: Int
    private let descriptor: Int32
    private let session: TLSSession?
    private var buffered: [UInt8] = []

    init?(_ descriptor: Int32, number: Int, tls: ServerTLS?) {
        self.descriptor = descriptor
        self.number = number
        session = tls?.accept(descriptor)
        if tls != nil, session == nil { return nil }
    }

    /// Reads what is there, waiting for at least one byte; empty at the end of the connection.
    package func read(atMost limit: Int = 65536) -> [UInt8] {
        if !buffered.isEmpty {
            defer { buffered.removeFirst(min(limit, buffered.count)) }
            return Array(buffered.prefix(limit))
        }
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = unsafe session?.read(&bytes) ?? Glibc.recv(descriptor, &bytes, limit, 0)
        return count > 0 ? Array(bytes[..<count]) : []
    }

    /// Reads up to the end of the connection, or `limit` bytes.
    package func readAll(atMost limit: Int = 1 << 26) -> [UInt8] {
        var all: [UInt8] = []
        while all.count < limit {
            let chunk = read()
            guard !chunk.isEmpty else { break }
            all += chunk
        }
        return all
    }

    /// Reads one request with its body (by Content-Length or chunked); nil when the connection ended before it was whole.
    package func readRequest() -> ScriptedRequest? {
        guard let head = readHead() else { return nil }
        var lines = head.split(separator: "\r\n", omittingEmptySubsequences: true)[...]
        guard let requestLine = lines.popFirst() else { return nil }
        let parts = requestLine.split(separator: " ")
        guard parts.count == 3 else { return nil }
        var headers = HeaderFields()
        for line in lines {
            let halves = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2 else { return nil }
            headers.append(String(halves[0]), String(halves[1].drop { $0 == " " }))
        }
        let body: [UInt8]?
        if headers["Transfer-Encoding"] == "chunked" {
            body = readChunks()
        } else {
            body = readExactly(Int(headers["Content-Length"] ?? "0") ?? 0)
        }
        guard let body else { return nil }
        return ScriptedRequest(
            method: String(parts[0]), target: String(parts[1]), headers: headers, body: body, connection: number)
    }

    /// Sends text as it is; false when the connection is broken.
    @discardableResult
    package func write(_ text: String) -> Bool { write(Array(text.utf8)) }

    /// Sends bytes as they are; false when the connection is broken.
    @discardableResult
    package func write(_ bytes: [UInt8]) -> Bool {
        var left = bytes[...]
        while !left.isEmpty {
            let count =
                unsafe session?.write(left)
                ?? left.withUnsafeBytes {
                    unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
            guard count > 0 else { return false }
            left = left.dropFirst(count)
        }
        return true
    }

    /// Sends a whole answer with its Content-Length.
    @discardableResult
    package func respond(_ response: HTTPResponse = HTTPResponse(status: 200)) -> Bool {
        var head = "HTTP/1.1 \(response.status) Scripted\r\n"
        for field in response.headers.fields { head += "\(field.name): \(field.value)\r\n" }
        if response.closesConnection { head += "Connection: close\r\n" }
        head += "Content-Length: \(response.body.count)\r\n\r\n"
        return write(Array(head.utf8) + response.body)
    }

    /// Waits until the other end closes, dropping what it sends.
    package func waitForClose() {
        while !read().isEmpty {}
    }

    /// Has the connection end with a reset (RST) instead of an orderly close, at the end of the script.
    package func resetAtEnd() {
        var option = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    /// Ends TLS properly before the connection is closed.
    package func sayGoodbye() { session?.sayGoodbye() }

    private func readHead() -> String? {
        while true {
            if let end = Self.endOfHead(buffered) {
                defer { buffered.removeFirst(end) }
                return String(decoding: buffered[..<end], as: UTF8.self)
            }
            guard fill() else { return nil }
        }
    }

    private func readExactly(_ count: Int) -> [UInt8]? {
        while buffered.count < count {
            guard fill() else { return nil }
        }
        defer { buffered.removeFirst(count) }
        return Array(buffered[..<count])
    }

    private func readChunks() -> [UInt8]? {
        var body: [UInt8] = []
        while true {
            var line: [UInt8] = []
            while !line.suffix(2).elementsEqual([13, 10]) {
                guard let byte = readExactly(1) else { return nil }
                line += byte
            }
            guard let size = Int(String(decoding: line.dropLast(2), as: UTF8.self), radix: 16),
                let chunk = readExactly(size + 2)
            else { return nil }
            if size == 0 { return body }
            body += chunk.dropLast(2)
        }
    }

    private func fill() -> Bool {
        let taken = buffered
        buffered = []
        let chunk = read()
        buffered = taken + chunk
        return !chunk.isEmpty
    }

    private static func endOfHead(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        return (4...bytes.count).first { bytes[($0 - 4)..<$0].elementsEqual([13, 10, 13, 10]) }
    }
}
