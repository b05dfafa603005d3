import Foundation
import Glibc

/// An HTTP client on a bare socket: sends any bytes, reads answers one by one. Blocks; used by one thread.
final class RawConnection {
    private let descriptor: Int32
    private var buffered = Data()

    /// To a loopback port.
    init(port: Int, timeoutSeconds: Int = 120) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
        var time = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        let status = unsafe withUnsafePointer(to: address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw Failure("connect: \(unsafe String(cString: strerror(errno)))") }
    }

    deinit {
        close(descriptor)
    }

    func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure("send: \(unsafe String(cString: strerror(errno)))") }
            rest = rest.dropFirst(count)
        }
    }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func get(_ path: String) throws -> Answer {
        try send("GET \(path) HTTP/1.1\r\nHost: gatehouse.test\r\n\r\n")
        return try answer()
    }

    func post(_ path: String, _ body: [UInt8], headers: [(String, String)]) throws -> Answer {
        var head = "POST \(path) HTTP/1.1\r\nHost: gatehouse.test\r\nContent-Length: \(body.count)\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        try send(Array((head + "\r\n").utf8) + body)
        return try answer()
    }

    /// The next final answer, whole; interim ones are passed over and counted.
    func answer() throws -> Answer {
        var interim: [Int] = []
        while true {
            let head = try readHead()
            var lines = head.components(separatedBy: "\r\n")
            let first = lines.removeFirst().split(separator: " ")
            guard first.count >= 2, first[0] == "HTTP/1.1", let status = Int(first[1]) else {
                throw Failure("not an HTTP answer: \(head.prefix(200))")
            }
            var headers: [String: String] = [:]
            for line in lines {
                guard let colon = line.firstIndex(of: ":") else { continue }
                let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
                headers[line[..<colon].lowercased()] = value
            }
            if (100..<200).contains(status) {
                interim.append(status)
                continue
            }
            let body = try read(Int(headers["content-length"] ?? "0") ?? 0)
            return Answer(status: status, headers: headers, body: body, interim: interim)
        }
    }

    /// The next interim answer's status.
    func interim() throws -> Int {
        let first = try readHead().split(separator: " ")
        guard first.count >= 2, let status = Int(first[1].prefix(3)), (100..<200).contains(status) else {
            throw Failure("not an interim answer: \(first)")
        }
        return status
    }

    /// Whether the other end closes the connection, and sends nothing more before.
    func isClosedByPeer() -> Bool { buffered.isEmpty && !fill() }

    private func readHead() throws -> String {
        let end = Data([13, 10, 13, 10])
        while true {
            if let range = buffered.range(of: end) {
                defer { buffered = Data(buffered[range.upperBound...]) }
                return String(decoding: buffered[..<range.lowerBound], as: UTF8.self)
            }
            guard fill() else { throw Failure("the connection ended before an answer") }
        }
    }

    private func read(_ count: Int) throws -> [UInt8] {
        while buffered.count < count {
            guard fill() else { throw Failure("the connection ended inside an answer") }
        }
        defer { buffered = Data(buffered.dropFirst(count)) }
        return Array(buffered.prefix(count))
    }

    private func fill() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65536)
        let count = unsafe recv(descriptor, &chunk, chunk.count, 0)
        guard count > 0 else { return false }
        buffered.append(contentsOf: chunk[..<count])
        return true
    }
}

struct Answer: Sendable {
    var status: Int
    /// By their names in lower case.
    var headers: [String: String]
    var body: [UInt8]
    /// Interim answers that came before.
    var interim: [Int] = []

    var text: String { String(decoding: body, as: UTF8.self) }
    /// The `code` of problem details.
    var code: String? { (try? JSON.object(text))?["code"] as? String }
    var detail: String? { (try? JSON.object(text))?["detail"] as? String }
}
