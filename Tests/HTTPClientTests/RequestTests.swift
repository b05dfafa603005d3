import Foundation
import Glibc
import HTTPClient
import HTTPTypes
import TestSupport
import Testing

@Suite struct RequestTests {
    @Test("A request arrives as it was given, and its answer comes back whole")
    func roundTrip() async throws {
        let seen = Collected<ScriptedRequest>()
        let server = ScriptedServer { request in
            seen.append(request)
            return HTTPResponse(status: 201, headers: ["X-Answer": "yes", "X-Empty": ""], body: Array("done".utf8))
        }
        let response = try await client.send(
            HTTPClientRequest(
                url: server.url("/in?x=1"),
                headers: ["Content-Type": "application/json", "X-Empty": "", "X-Text": "a: b; c"],
                body: Array("{}".utf8), addressGuard: loopbackAllowed)
        ).get()
        #expect(response.status == 201)
        #expect(response.headers["x-answer"] == "yes")
        #expect(response.headers["X-Empty"] == "")
        #expect(response.body == Array("done".utf8))
        #expect(!response.isTruncated)
        #expect(response.duration > .zero)
        let request = try #require(seen.values.first)
        #expect(request.method == "POST")
        #expect(request.target == "/in?x=1")
        #expect(request.body == Array("{}".utf8))
        #expect(request.headers["Content-Type"] == "application/json")
        #expect(request.headers["X-Text"] == "a: b; c")
        #expect(request.headers["X-Empty"] == "")
        for unwanted in ["Expect", "Accept", "User-Agent", "Accept-Encoding"] {
            #expect(request.headers.count(unwanted) == 0, "\(unwanted)")
        }
    }

    @Test("Any method is sent as named, with and without a body, on one reused handle and connection")
    func methods() async throws {
        let client = HTTPClient(maximumConnections: 1)
        let seen = Collected<ScriptedRequest>()
        let server = ScriptedServer { connection in
            while let request = connection.readRequest() {
                seen.append(request)
                let body = request.method == "HEAD" ? "" : "ok"
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\(body)")
            }
        }
        let sent: [(String, String)] = [
            ("POST", "one"), ("GET", ""), ("POST", ""), ("HEAD", ""), ("PUT", "two"), ("DELETE", ""), ("GET", "query"),
            ("PATCH", "three"), ("HEAD", ""), ("POST", "four"), ("OPTIONS", ""), ("DELETE", "five"), ("PUT", ""),
            ("REPORT", "six"), ("GET", ""),
        ]
        for (method, body) in sent {
            let response = try await client.send(
                HTTPClientRequest(method: method, url: server.url(), body: Array(body.utf8))
            ).get()
            #expect(response.body == (method == "HEAD" ? [] : Array("ok".utf8)))
        }
        #expect(seen.values.map(\.method) == sent.map(\.0))
        #expect(seen.values.map { String(decoding: $0.body, as: UTF8.self) } == sent.map(\.1))
        #expect(seen.values.allSatisfy { $0.headers.count("Content-Type") == 0 })
        #expect(server.connectionCount == 1)
        for request in seen.values where ["POST", "PUT", "PATCH"].contains(request.method) {
            #expect(request.headers["Content-Length"] == String(request.body.count))
        }
    }

    @Test("A large body arrives whole")
    func largeBody() async throws {
        let seen = Collected<[UInt8]>()
        let server = ScriptedServer { request in
            seen.append(request.body)
            return HTTPResponse(status: 204)
        }
        let body = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for _ in 0..<2 {
            #expect(try await client.send(HTTPClientRequest(url: server.url(), body: body)).get().status == 204)
        }
        #expect(seen.values.allSatisfy { $0 == body })
        #expect(seen.count == 2)
    }

    @Test("Redirects are answers like any other", arguments: [301, 302, 303, 307, 308])
    func redirects(status: Int) async throws {
        let server = ScriptedServer { _ in HTTPResponse(status: status, headers: ["Location": "/elsewhere"]) }
        let response = try await client.send(HTTPClientRequest(url: server.url())).get()
        #expect(response.status == status)
        #expect(response.headers["Location"] == "/elsewhere")
        #expect(server.connectionCount == 1)
    }

    @Test("Chunked answers, interim answers and trailers are read as one answer")
    func framing() async throws {
        let server = ScriptedServer { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\nHTTP/1.1 200 OK\r\nX-A: 1\r\n")
            connection.write(
                "Transfer-Encoding: chunked\r\nTrailer: X-B\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-B: 2\r\n\r\n")
            connection.waitForClose()
        }
        let response = try await client.send(HTTPClientRequest(url: server.url())).get()
        #expect(response.status == 200)
        #expect(response.body == Array("abcde".utf8))
        #expect(response.headers["X-A"] == "1")
        #expect(response.headers["Link"] == nil)
        #expect(response.headers["X-B"] == nil)
    }

    @Test("A long answer is cut to what is wanted, and its connection used again")
    func longAnswer() async throws {
        let server = ScriptedServer { _ in HTTPResponse(status: 200, body: [UInt8](repeating: 7, count: 300_000)) }
        for _ in 0..<3 {
            let response = try await client.send(HTTPClientRequest(url: server.url(), maximumResponseBytes: 1000)).get()
            #expect(response.body == [UInt8](repeating: 7, count: 1000))
            #expect(response.isTruncated)
        }
        #expect(server.connectionCount == 1)
    }

    @Test("An answer without end is cut off and still counts as an answer")
    func endlessAnswer() async throws {
        let server = ScriptedServer { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\n\r\n")
            while connection.write([UInt8](repeating: 7, count: 65536)) {}
        }
        let response = try await client.send(HTTPClientRequest(url: server.url(), maximumResponseBytes: 10)).get()
        #expect(response.status == 200)
        #expect(response.body == [UInt8](repeating: 7, count: 10))
        #expect(response.isTruncated)
    }

    @Test("A request goes to a Unix socket, whatever its URL and guard say")
    func unixSocket() async throws {
        let folder = TemporaryDirectory()
        let path = folder.file("control.sock")
        let server = ScriptedServer(.unix(path)) { request in
            HTTPResponse(status: 200, body: Array(request.target.utf8))
        }
        let request = HTTPClientRequest(
            method: "GET", url: "http://control/status", addressGuard: AddressGuardForTests.strict, unixSocket: path)
        for _ in 0..<2 {
            #expect(try await client.send(request).get().body == Array("/status".utf8))
        }
        #expect(server.connectionCount == 1)
        server.stop()
        var missing = request
        missing.unixSocket = folder.file("nothing.sock")
        #expect(await client.send(missing).code == .connectFailed)
    }

    @Test(
        "IPv6 is spoken where the machine speaks it",
        .enabled(if: FileManager.default.isReadableFile(atPath: "/proc/net/if_inet6")))
    func ipv6() async throws {
        let server = ScriptedServer(.ipv6Loopback) { _ in HTTPResponse(status: 200) }
        let url = server.url(host: "[::1]")
        #expect(try await client.send(HTTPClientRequest(url: url, addressGuard: loopbackAllowed)).get().status == 200)
        #expect(
            await client.send(HTTPClientRequest(url: url, addressGuard: AddressGuardForTests.strict)).code
                == .addressRefused)
        try await client.openStream(port: server.port, host: "::1", addressGuard: loopbackAllowed).get().close()
    }

    @Test("A proxy that only the environment names is not asked, and the environment is left as it was")
    func environmentProxy() async throws {
        let names = ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
        for name in names { unsafe setenv(name, "http://127.0.0.1:1", 1) }
        // Other tests start programs, which would inherit it.
        defer { for name in names { unsafe unsetenv(name) } }
        let server = ScriptedServer { _ in HTTPResponse(status: 200) }
        let fresh = HTTPClient()
        defer { fresh.shutdown() }
        let request = HTTPClientRequest(url: server.url(), addressGuard: loopbackAllowed)
        #expect(try await fresh.send(request).get().status == 200)
        #expect(server.connectionCount == 1)
    }

    @Test("A hundred requests at once all get their own answers")
    func concurrency() async throws {
        let server = ScriptedServer { request in HTTPResponse(status: 200, body: request.body) }
        await withTaskGroup(of: Bool.self) { group in
            for number in 0..<100 {
                group.addTask {
                    let body = Array(String(number).utf8)
                    return (try? await client.send(HTTPClientRequest(url: server.url(), body: body)).get().body) == body
                }
            }
            for await isRight in group { #expect(isRight) }
        }
    }
}
