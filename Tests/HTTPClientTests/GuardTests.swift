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
        "No special address is connected to by any kind of connection, whatever form it has",
        arguments: [
            "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.0.8", "192.0.2.1",
            "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.175.48.1", "198.18.0.1", "224.0.0.1", "240.0.0.1",
            "255.255.255.255", "::ffff:10.0.0.1", "::ffff:0:10.0.0.1", "::10.0.0.1", "64:ff9b::10.0.0.1",
            "64:ff9b:1::1", "100::1", "2001::1", "2001:0:4136:e378::80ff:fffe", "2001:2::1", "2001:db8::1",
            "2002:a00:1::1", "2606:4700::5efe:10.0.0.1", "2620:4f:8000::1", "3fff::1", "5f00::1", "fc00::1", "fe80::1",
            "fec0::1", "ff02::1", "168.63.129.16", "100:0:0:1::1", "2001:1::3", "2001:3::1", "2001:4:112::1",
            "2001:20::1",
            "64:ff9b:1:7f00:0:100::", "::", "0.0.0.0", "::1", "127.0.0.1",
        ])
    func everyKind(address: String) async throws {
        let host = address.contains(":") ? "[\(address)]" : address
        let request = HTTPClientRequest(url: "http://\(host):9/", addressGuard: AddressGuardForTests.strict)
        #expect(await client.send(request).code == .addressRefused)
        let datagrams = DatagramSocket(
            host: address, port: 9, addressGuard: AddressGuardForTests.strict, client: client)
        let sent = await withCheckedContinuation { continuation in
            datagrams.send([1]) { continuation.resume(returning: $0) }
        }
        #expect(sent.code == .addressRefused)
        let stream = await client.openStream(
            port: 9, host: address, addressGuard: AddressGuardForTests.strict, timeout: .seconds(10))
        #expect(stream.code == .addressRefused)
    }

    @Test(
        "An address that no strict reader takes for one is refused where the system takes it for one",
        arguments: [
            "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "0177.1", "017700000001",
            "127.0.0.1.", "0", "0x0", "::ffff:127.0.0.1", "::ffff:7f00:1", "::127.0.0.1", "::1%lo", "fe80::1%lo",
            "10.1", "0xa.0.0.1", "167772161", "0300.0250.1.1",
        ])
    func spellings(host: String) async throws {
        let server = ScriptedServer { _ in HTTPResponse(status: 200) }
        // Some of them are no host to one reader or another: then nothing is connected to either.
        let refused: [TransportFailure.Code] = [.addressRefused, .dns, .url]
        let inURL = host.contains(":") ? "[\(host.replacing("%", with: "%25"))]" : host
        let request = HTTPClientRequest(
            url: "http://\(inURL):\(server.port)/", addressGuard: AddressGuardForTests.strict)
        let failure = try #require(await client.send(request).failure)
        #expect(refused.contains(failure.code), "\(failure)")
        let datagrams = DatagramSocket(
            host: host, port: server.port, addressGuard: AddressGuardForTests.strict, client: client)
        let sent = await withCheckedContinuation { continuation in
            datagrams.send([1]) { continuation.resume(returning: $0) }
        }
        #expect(refused.contains(try #require(sent.code)))
        let stream = await client.openStream(
            port: server.port, host: host, addressGuard: AddressGuardForTests.strict, timeout: .seconds(10))
        #expect(refused.contains(try #require(stream.code)))
        #expect(server.connectionCount == 0)
    }

    @Test("A redirect to where the guard forbids, or anywhere else, is not followed")
    func redirect() async throws {
        let seen = Collected<String>()
        let inside = ScriptedServer { request in
            seen.append(request.target)
            return HTTPResponse(status: 200)
        }
        let outside = ScriptedServer { _ in HTTPResponse(status: 307, headers: ["Location": inside.url("/inside")]) }
        let response = try await client.send(
            HTTPClientRequest(url: outside.url(), addressGuard: loopbackAllowed)
        ).get()
        #expect(response.status == 307 && seen.values.isEmpty)
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
