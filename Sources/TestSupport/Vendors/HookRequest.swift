import CCurl
import Foundation
import Glibc
package import HTTPTypes

/// One hook on its way to a loopback port, over a connection of its own.
package struct HookRequest: Sendable {
    package var port: Int
    package var path: String
    package var headers: HeaderFields
    package var body: [UInt8]
    /// Bytes of the body that are never sent, though announced.
    package var withheld = 0

    package init(port: Int, path: String, headers: HeaderFields, body: [UInt8]) {
        self.port = port
        self.path = path
        self.headers = headers
        self.body = body
    }

    /// Connects, sends, and reads one answer. Blocks the calling thread.
    ///
    /// - Parameter patience: from before the connection is made to the last byte of the answer.
    package func send(within patience: Duration) -> HookReply {
        let start = ContinuousClock.now
        let end = start + patience
        let result = exchange(end)
        return HookReply(result: result, took: ContinuousClock.now - start)
    }

    private func exchange(_ end: ContinuousClock.Instant) -> HookReply.Result {
        guard let socket = HookSocket(port: port) else { return .broken("the connection was refused") }
        guard socket.isConnected(by: end) else { return socket.failure(end, "no connection was made") }
        var head = "POST \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nContent-Length: \(body.count)\r\n"
        for field in headers.fields { head += "\(field.name): \(field.value)\r\n" }
        // Whoever refuses a request may close before it is whole: what it said is read all the same.
        let isSent = socket.send(Array((head + "\r\n").utf8) + body.dropLast(withheld), by: end)
        guard let answer = socket.receiveAnswer(by: end) else {
            return socket.failure(end, isSent ? "the connection ended before an answer" : "the request was not taken")
        }
        return .answer(answer)
    }
}

/// What came of a hook.
package struct HookReply: Sendable {
    package enum Result: Sendable, Hashable {
        case answer(HookAnswer)
        /// The sender's patience was over.
        case silence
        /// There was no connection, or it ended before the answer was whole.
        case broken(String)
    }

    package var result: Result
    package var took: Duration

    package var answer: HookAnswer? { if case .answer(let answer) = result { answer } else { nil } }
}

/// The status, headers and body as they came.
package struct HookAnswer: Sendable, Hashable {
    package var status: Int
    package var headers: HeaderFields
    package var body: [UInt8]

    package var text: String { String(decoding: body, as: UTF8.self) }
}

/// A non-blocking socket, used by one thread.
private final class HookSocket {
    private let descriptor: Int32
    private var received: [UInt8] = []

    init?(port: Int) {
        let kind = SocketAddress.stream | SocketAddress.nonBlocking | SocketAddress.closeOnExec
        descriptor = socket(AF_INET, kind, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
        let status = unsafe withUnsafePointer(to: address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 || errno == EINPROGRESS else { return nil }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    func isConnected(by end: ContinuousClock.Instant) -> Bool {
        guard wait(for: POLLOUT, until: end) else { return false }
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 && code == 0
    }

    func send(_ bytes: [UInt8], by end: ContinuousClock.Instant) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else {
                guard errno == EAGAIN, wait(for: POLLOUT, until: end) else { return false }
            }
        }
        return true
    }

    /// Nil when the end came first, or the connection's.
    func receiveAnswer(by end: ContinuousClock.Instant) -> HookAnswer? {
        let blank: [UInt8] = [13, 10, 13, 10]
        var searched = 0
        while true {
            if received.count >= 4,
                let place = (searched...(received.count - 4)).first(where: {
                    received[$0..<$0 + 4].elementsEqual(blank)
                })
            {
                guard let (status, headers) = Self.head(received[..<place]) else { return nil }
                let length = headers["Content-Length"].flatMap { Int($0) } ?? 0
                let start = place + 4
                while received.count < start + length {
                    guard fill(by: end) else { return nil }
                }
                return HookAnswer(status: status, headers: headers, body: Array(received[start..<start + length]))
            }
            searched = max(0, received.count - 3)
            guard fill(by: end) else { return nil }
        }
    }

    func failure(_ end: ContinuousClock.Instant, _ what: String) -> HookReply.Result {
        ContinuousClock.now >= end ? .silence : .broken(what)
    }

    private static func head(_ bytes: ArraySlice<UInt8>) -> (Int, HeaderFields)? {
        let lines = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n")
        let first = lines[0].split(separator: " ")
        guard first.count >= 2, first[0] == "HTTP/1.1", let status = Int(first[1]) else { return nil }
        var headers = HeaderFields()
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { return nil }
            headers.append(
                String(line[..<colon]), line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces))
        }
        return (status, headers)
    }

    private func fill(by end: ContinuousClock.Instant) -> Bool {
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = unsafe recv(descriptor, &chunk, chunk.count, 0)
            if count > 0 {
                received += chunk[..<count]
                return true
            }
            guard count < 0, errno == EAGAIN, wait(for: POLLIN, until: end) else { return false }
        }
    }

    private func wait(for event: Int32, until end: ContinuousClock.Instant) -> Bool {
        while true {
            let left = (end - .now) / .milliseconds(1)
            guard left > 0 else { return false }
            var entry = pollfd(fd: descriptor, events: Int16(event), revents: 0)
            let count = unsafe poll(&entry, 1, Int32(left.rounded(.up)))
            if count > 0 { return true }
            guard count == 0 || errno == EINTR else { return false }
        }
    }
}
