import Addresses
import Glibc
import HTTPServer
import HTTPTypes
import Synchronization
import Testing

@Suite("Listening")
struct ListeningTests {
    @Test(
        "reads addresses",
        arguments: [
            ("127.0.0.1:8080", HTTPListenAddress.tcp(host: "127.0.0.1", port: 8080)),
            ("[::1]:0", .tcp(host: "::1", port: 0)), ("0.0.0.0:65535", .tcp(host: "0.0.0.0", port: 65535)),
        ])
    func reads(text: String, address: HTTPListenAddress) throws {
        #expect(try HTTPListenAddress(parsing: text) == address)
        #expect(address.description == text)
    }

    @Test(
        "says what is wrong with an address",
        arguments: [
            ("8080", "has no port"), ("127.0.0.1:", "a port is a number"), ("127.0.0.1:65536", "a port is a number"),
            ("127.0.0.1:+80", "a port is a number"), ("::1:80", "needs brackets: [::1]:80"),
            ("localhost:80", "not an IP"),
            ("[127.0.0.1]:80", "only an IPv6"), (":80", "not an IP"),
        ])
    func refuses(text: String, reason: String) {
        let error = #expect(throws: HTTPServerError.self) { try HTTPListenAddress(parsing: text) }
        #expect(error?.code == .address)
        #expect(error?.message.contains(reason) == true)
    }

    @Test("an address in use is an error that says which and what to do")
    func inUse() throws {
        let server = try startServer(ScriptedHandler.echo())
        defer { server.stop() }
        let error = #expect(throws: HTTPServerError.self) {
            try startServer(ScriptedHandler.echo(), listen: .tcp(host: "127.0.0.1", port: server.port))
        }
        #expect(error?.code == .addressInUse)
        #expect(error?.message.hasPrefix("127.0.0.1:\(server.port) is in use by another process: ") == true)
    }

    @Test("a port is free again as soon as the server on it stopped")
    func reuse() throws {
        let first = try startServer(ScriptedHandler.echo())
        let client = try RawClient(port: first.port)
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.receiveResponse()?.status == 200)
        first.stop()
        let second = try startServer(ScriptedHandler.echo(), listen: .tcp(host: "127.0.0.1", port: first.port))
        #expect(second.port == first.port)
        second.stop()
    }

    @Test("serves IPv6")
    func ipv6() throws {
        let handler = ScriptedHandler.echo()
        let server = try startServer(handler, listen: .tcp(host: "::1", port: 0))
        defer { server.stop() }
        let client = try RawClient(ipv6Port: server.port)
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.receiveResponse()?.status == 200)
        #expect(handler.heads.withLock { $0[0].peer } == IPAddress("::1"))
    }

    @Test(
        "splits a target into path and query",
        arguments: [
            ("/a?b", "/a", "b"), ("/a?", "/a", ""), ("/a", "/a", nil), ("/?a?b", "/", "a?b"), ("*", "*", nil),
            ("http://h:1/p?q", "/p", "q"), ("HTTPS://h", "/", nil), ("http://h?q", "/", "q"), ("h:443", "h:443", nil),
            ("?", "", ""), ("", "", nil), ("/http://x", "/http://x", nil), ("http:/", "http:/", nil),
        ])
    func target(text: String, path: String, query: String?) {
        let head = HTTPRequestHead(method: "GET", target: text)
        #expect(head.path == path && head.query == query && head.target == text)
    }
}

@Suite("A Unix socket")
struct UnixSocketTests {
    private let path = "/tmp/gatehouse-test-\(getpid())-\(UInt32.random(in: 0 ... .max)).sock"

    @Test("is served, is its owner's alone, and is gone after stopping")
    func serves() throws {
        let handler = ScriptedHandler.echo()
        let server = try startServer(handler, listen: .unix(path: path))
        var status = stat()
        #expect(unsafe stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        let client = try RawClient(path: path)
        client.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab")
        #expect(client.receiveResponse()?.body == "ab")
        #expect(handler.heads.withLock { $0[0].peer } == nil)
        server.stop()
        #expect(unsafe stat(path, &status) != 0)
    }

    @Test("replaces a file nobody listens on, and no other")
    func stale() throws {
        let dead = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let bound = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(dead, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(bound == 0)
        close(dead)
        let server = try startServer(ScriptedHandler.echo(), listen: .unix(path: path))
        let inUse = #expect(throws: HTTPServerError.self) {
            try startServer(ScriptedHandler.echo(), listen: .unix(path: path))
        }
        #expect(inUse?.code == .addressInUse && inUse?.message.contains("instance running") == true)
        #expect(try RawClient(path: path).descriptor >= 0)
        server.stop()
        let file = unsafe open(path, O_CREAT | O_WRONLY, 0o600)
        close(file)
        defer { unsafe unlink(path) }
        let notSocket = #expect(throws: HTTPServerError.self) {
            try startServer(ScriptedHandler.echo(), listen: .unix(path: path))
        }
        #expect(notSocket?.code == .socketFile)
    }

    @Test("has a path of bounded length")
    func long() {
        let error = #expect(throws: HTTPServerError.self) {
            try startServer(ScriptedHandler.echo(), listen: .unix(path: "/tmp/" + String(repeating: "a", count: 200)))
        }
        #expect(error?.code == .address)
    }
}
