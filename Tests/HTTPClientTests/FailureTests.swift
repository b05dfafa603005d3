import Addresses
import Glibc
import HTTPClient
import HTTPTypes
import TestSupport
import Testing

@Suite struct FailureTests {
    /// What a receiver does wrong once it has the whole request, and what that is called.
    static let misbehaviours: [(String, @Sendable (ScriptedConnection) -> Void, TransportFailure.Code)] = [
        ("closes without an answer", { _ in }, .connectionClosed),
        ("resets without an answer", { $0.resetAtEnd() }, .connectionClosed),
        ("closes inside the header", { $0.write("HTTP/1.1 200 OK\r\nContent-Le") }, .connectionClosed),
        ("closes inside the body", { $0.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc") }, .connectionClosed),
        (
            "resets inside the body",
            { connection in
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
                connection.resetAtEnd()
            }, .connectionClosed
        ),
        (
            "closes inside a chunk", { $0.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc") },
            .connectionClosed
        ),
        (
            "breaks the chunk framing",
            { $0.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n") },
            .malformedResponse
        ),
        ("answers garbage", { $0.write("\u{1}\u{2}\u{3} hello\r\n\r\n") }, .malformedResponse),
        ("answers in HTTP/0.9", { $0.write("<html>hello</html>") }, .malformedResponse),
        ("answers in another protocol", { $0.write("SSH-2.0-OpenSSH_9.2\r\n") }, .malformedResponse),
        (
            "answers with a negative length", { $0.write("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n") },
            .malformedResponse
        ),
        (
            "answers with headers without end",
            { connection in
                connection.write("HTTP/1.1 200 OK\r\n")
                while connection.write("X-Filler: \(String(repeating: "x", count: 1000))\r\n") {}
            }, .malformedResponse
        ),
        (
            "answers with a header line that is longer than libcurl takes",
            { connection in
                connection.write("HTTP/1.1 200 OK\r\nX: \(String(repeating: "x", count: 300_000))\r\n\r\n")
            }, .malformedResponse
        ),
        (
            "sends interim answers without end",
            { connection in while connection.write("HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n") {} }, .malformedResponse
        ),
        ("never answers", { $0.waitForClose() }, .timeout),
        (
            "answers a byte at a time, without end",
            { connection in
                connection.write("HTTP/1.1 200 OK\r\nX: ")
                while connection.write("a") { usleep(100_000) }
            }, .timeout
        ),
    ]

    @Test("A receiver that misbehaves is told apart by code", arguments: misbehaviours.indices)
    func misbehaviour(index: Int) async {
        let (name, script, code) = Self.misbehaviours[index]
        let server = ScriptedServer { connection in
            guard connection.readRequest() != nil else { return }
            script(connection)
        }
        let timeout = Duration.milliseconds(code == .timeout ? 500 : 20_000)
        let failure = await client.send(HTTPClientRequest(url: server.url("/secret"), timeout: timeout)).failure
        #expect(failure?.code == code, "\(name): \(String(describing: failure))")
        #expect(failure?.message.contains("secret") == false)
        #expect(server.connectionCount == 1, "\(name): nothing is sent again")
    }

    @Test("A kept-open connection that closes as the request comes is a failed attempt, not a second sending")
    func closedUnderneath() async throws {
        let seen = Collected<ScriptedRequest>()
        let server = ScriptedServer { connection in
            guard let first = connection.readRequest() else { return }
            seen.append(first)
            connection.respond()
            guard let second = connection.readRequest() else { return }
            seen.append(second)
        }
        let request = HTTPClientRequest(url: server.url(), body: Array("once".utf8))
        #expect(try await client.send(request).get().status == 200)
        #expect(await client.send(request).code == .connectionClosed)
        #expect(seen.count == 2)
        #expect(server.connectionCount <= 2)
        #expect(try await client.send(request).get().status == 200)
    }

    @Test("A connection that was closed while it was idle is not used again")
    func closedWhileIdle() async throws {
        let server = ScriptedServer { connection in
            _ = connection.readRequest()
            connection.respond()
        }
        for number in 1...3 {
            #expect(try await client.send(HTTPClientRequest(url: server.url())).get().status == 200)
            #expect(await poll { server.openConnectionCount == 0 })
            #expect(server.connectionCount == number)
        }
    }

    @Test("Nobody listening, and nobody answering, are told apart")
    func connecting() async throws {
        let port: Int
        do {
            let gone = ScriptedServer { _ in }
            port = gone.port
        }
        #expect(await client.send(HTTPClientRequest(url: "http://127.0.0.1:\(port)/")).code == .connectRefused)

        let full = FullBacklog()
        let request = HTTPClientRequest(url: "http://127.0.0.1:\(full.port)/", connectTimeout: .milliseconds(300))
        #expect(await client.send(request).code == .connectTimeout)
    }

    @Test("A name without an address is a failure of the look-up, and holds nothing else up")
    func lookUp() async throws {
        let server = ScriptedServer { _ in HTTPResponse(status: 200) }
        let outcomes = Collected<TransportFailure.Code?>()
        for number in 0..<20 {
            let url = "http://receiver-\(number % 3).invalid/"
            client.send(HTTPClientRequest(url: url, timeout: .seconds(5))) { outcomes.append($0.code) }
        }
        for _ in 0..<20 {
            let request = HTTPClientRequest(url: server.url(), timeout: .seconds(5))
            #expect(try await client.send(request).get().status == 200)
        }
        #expect(await poll(deadline: .seconds(20)) { outcomes.count == 20 })
        #expect(outcomes.values.allSatisfy { $0 == .dns })
    }

    /// The machine's own name, where it leads to 127.0.0.1: looked up as any other name, without a network.
    private static let ownName: String? = {
        var name = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&name, name.count) == 0 else { return nil }
        let text = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let addresses = try? run("getent", ["ahosts", text]).output
        return addresses?.hasPrefix("127.0.0.1 ") == true ? text : nil
    }()

    @Test("Requests held back by the cap on look-ups go out once the name is known", .enabled(if: ownName != nil))
    func heldBack() async throws {
        let name = try #require(Self.ownName)
        let client = HTTPClient()
        let server = ScriptedServer { _ in HTTPResponse(status: 200) }
        let outcomes = Collected<Int?>()
        // From the client's own thread, so that all of them start before the first look-up can end.
        client.send(HTTPClientRequest(url: server.url())) { _ in
            for _ in 0..<50 {
                client.send(HTTPClientRequest(url: server.url(host: name))) { outcomes.append(try? $0.get().status) }
            }
        }
        #expect(await poll { outcomes.count == 50 })
        #expect(outcomes.values == Array(repeating: 200, count: 50))
    }

    @Test("One receiver that hangs does not hold up another")
    func isolation() async throws {
        let silent = ScriptedServer { $0.waitForClose() }
        let server = ScriptedServer { _ in HTTPResponse(status: 200) }
        let hung = Collected<TransportFailure.Code?>()
        for _ in 0..<100 {
            client.send(HTTPClientRequest(url: silent.url(), timeout: .seconds(3))) { hung.append($0.code) }
        }
        for _ in 0..<50 {
            #expect(try await client.send(HTTPClientRequest(url: server.url())).get().status == 200)
        }
        #expect(await poll { hung.count == 100 })
        #expect(hung.values == Array(repeating: .timeout, count: 100))
    }
}

/// A listening socket whose queue is full: connecting to it hangs.
private final class FullBacklog {
    let port: Int
    private let listener: Int32
    private var fillers: [Int32] = []

    init() {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let listener = socket(AF_INET, 1, 0)
        self.listener = listener
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe bind(listener, pointer, length)
                listen(listener, 0)
                unsafe getsockname(listener, pointer, &length)
            }
        }
        port = Int(UInt16(bigEndian: address.sin_port))
        for _ in 0..<4 {
            let filler = socket(AF_INET, 1, 0)
            _ = fcntl(filler, F_SETFL, O_NONBLOCK)
            unsafe withUnsafePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                    _ = unsafe connect(filler, pointer, length)
                }
            }
            fillers.append(filler)
        }
    }

    deinit {
        for filler in fillers { close(filler) }
        close(listener)
    }
}
