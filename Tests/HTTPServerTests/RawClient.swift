import Glibc

/// A blocking client that sends bytes as they are.
final class RawClient {
    let descriptor: Int32

    init(port: Int, receiveTimeout seconds: Int = 10) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw ClientError(code: errno) }
        setTimeout(seconds)
    }

    init(ipv6Port port: Int) throws {
        descriptor = socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = in_port_t(UInt16(port).bigEndian)
        unsafe inet_pton(AF_INET6, "::1", &address.sin6_addr)
        let connected = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
            }
        }
        guard connected == 0 else { throw ClientError(code: errno) }
        setTimeout(10)
    }

    init(path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let connected = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connected == 0 else { throw ClientError(code: errno) }
        setTimeout(10)
    }

    deinit { close(descriptor) }

    private func setTimeout(_ seconds: Int) {
        // A timeval: seconds and microseconds.
        var time: (Int, Int) = (seconds, 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, 16)
    }

    /// Sends everything; `false` when the other side is gone.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.send(descriptor, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return false }
            sent += count
        }
        return true
    }

    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// What comes next: `nil` when the connection ended, empty when nothing came in time.
    func receive() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
        if count > 0 { return Array(buffer.prefix(count)) }
        return count < 0 && errno == EAGAIN ? [] : nil
    }

    /// Everything until the other side closes; `closed` tells whether it did.
    func receiveAll() -> (text: String, closed: Bool) {
        var bytes: [UInt8] = []
        while true {
            guard let more = receive() else { return (String(decoding: bytes, as: UTF8.self), true) }
            if more.isEmpty { return (String(decoding: bytes, as: UTF8.self), false) }
            bytes += more
        }
    }

    /// One response with a Content-Length.
    func receiveResponse() -> Response? {
        var bytes: [UInt8] = []
        while true {
            if let response = Response(bytes) { return response }
            guard let more = receive(), !more.isEmpty else { return nil }
            bytes += more
        }
    }
}

struct ClientError: Error { let code: Int32 }

struct Response {
    let status: Int
    let head: String
    let body: String

    init?(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.hasPrefix("HTTP/1.1 "), let end = bytes.endOfHead,
            let status = Int(text.dropFirst(9).prefix(3))
        else { return nil }
        head = String(decoding: bytes[..<end], as: UTF8.self)
        let lengths = head.split(separator: "\r\n").filter { $0.lowercased().hasPrefix("content-length: ") }
        let length = lengths.first.flatMap { Int($0.dropFirst(16)) } ?? 0
        guard bytes.count >= end + length else { return nil }
        body = String(decoding: bytes[end..<(end + length)], as: UTF8.self)
        self.status = status
    }
}

extension [UInt8] {
    /// After the empty line.
    fileprivate var endOfHead: Int? {
        guard count >= 4 else { return nil }
        for index in 3..<count where Array(self[(index - 3)...index]) == [13, 10, 13, 10] { return index + 1 }
        return nil
    }
}
