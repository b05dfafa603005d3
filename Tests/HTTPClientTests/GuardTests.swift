import Addresses
import Glibc
import HTTPClient
import HTTPTypes
import TestSupport
import Testing

enum AddressGuardForTests {
    static let strict = AddressGuard(allow: [])
}

@Suite struct GuardTests {
    @Test(
        "A loopback address in any disguise is refused, and nothing is connected to",
        arguments: [
            "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0.0.0.0", "localhost", "[::1]",
            "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::]",
        ])
    func refused(host: String) async {
        let server = ScriptedServer { _ in HTTPResponse(status: 200) }
        let failure = await client.send(
            HTTPClientRequest(url: server.url(host: host), addressGuard: AddressGuardForTests.strict)
        ).failure
        #expect(failure?.code == .addressRefused, "\(String(describing: failure))")
        #expect(failure?.message.contains("allow: [") == true)
        #expect(server.connectionCount == 0)
    }

    @Test(
        "What the target allows is reached, a mapped address by the IPv4 network",
        arguments: ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
    func allowed(host: String) async throws {
        let server = ScriptedServer { _ in HTTPResponse(status: 200) }
        let only = AddressGuard(allow: [try #require(IPNetwork("127.0.0.1/32"))])
        #expect(
            try await client.send(HTTPClientRequest(url: server.url(host: host), addressGuard: only)).get().status
                == 200)
    }

    @Test("A forbidden target does not get through on an allowed one's open connection")
    func reuse() async throws {
        let client = HTTPClient()
        let seen = Collected<String>()
        let server = ScriptedServer { request in
            seen.append(request.target)
            return HTTPResponse(status: 200)
        }
        let allowed = HTTPClientRequest(url: server.url("/allowed"), addressGuard: loopbackAllowed)
        let forbidden = HTTPClientRequest(url: server.url("/forbidden"), addressGuard: AddressGuardForTests.strict)
        for _ in 0..<3 {
            #expect(try await client.send(allowed).get().status == 200)
            #expect(await client.send(forbidden).code == .addressRefused)
        }
        #expect(seen.values == ["/allowed", "/allowed", "/allowed"])
    }

    @Test("Behind a proxy the destination is resolved here, and the proxy told the checked address")
    func proxy() async throws {
        let seen = Collected<ScriptedRequest>()
        let proxy = ScriptedServer { connection in
            guard let connect = connection.readRequest() else { return }
            seen.append(connect)
            connection.write("HTTP/1.1 200 Connected\r\nX-Proxy: 1\r\n\r\n")
            guard let request = connection.readRequest() else { return }
            seen.append(request)
            connection.respond(HTTPResponse(status: 202))
        }
        var request = HTTPClientRequest(
            url: "http://localhost:8099/in", headers: ["Authorization": "Bearer secret"],
            addressGuard: AddressGuard(allow: [try #require(IPNetwork("127.0.0.1/32"))]), proxy: proxy.url())
        let response = try await client.send(request).get()
        #expect(response.status == 202)
        #expect(response.headers["X-Proxy"] == nil)
        #expect(seen.values.map(\.method) == ["CONNECT", "POST"])
        #expect(seen.values.first?.target == "127.0.0.1:8099")
        #expect(seen.values.first?.headers["Authorization"] == nil)
        #expect(seen.values.last?.headers["Authorization"] == "Bearer secret")
        #expect(seen.values.last?.headers["Host"] == "localhost:8099")

        request.addressGuard = AddressGuardForTests.strict
        #expect(await client.send(request).code == .addressRefused)
        request.url = "http://8.8.8.8/"
        #expect(await client.send(request).code == .addressRefused, "the proxy's own address is checked too")
        request.proxy = "socks5://127.0.0.1:1"
        #expect(await client.send(request).code == .proxy)
        #expect(seen.count == 2)
    }

    @Test("A proxy that refuses is the proxy's failure")
    func refusingProxy() async {
        let proxy = ScriptedServer { _ in HTTPResponse(status: 502, closesConnection: true) }
        let request = HTTPClientRequest(
            url: "http://localhost:8099/", addressGuard: loopbackAllowed, proxy: proxy.url())
        #expect(await client.send(request).code == .proxy)
    }
}
