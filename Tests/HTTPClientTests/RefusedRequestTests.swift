import HTTPClient
import HTTPTypes
import TestSupport
import Testing

@Suite struct RefusedRequestTests {
    @Test(
        "A URL that this client does not speak is refused without being repeated",
        arguments: [
            "", "x", "ftp://127.0.0.1/secret", "file:///etc/secret", "gopher://127.0.0.1/secret", "http://",
            "http:///secret",
            "http://user:secret@127.0.0.1/", "http://127.0.0.1:99999/secret", "http://127.0.0.1:x/secret",
            "http://127.0.0.1:0/secret", "http://127.0.0.1/secret path", "http://127.0.0.1/secret\r\nX: y",
            "http://[::1/secret", "http://[fe80::1%25lo]/secret", "http://a\0secret/",
        ])
    func url(url: String) async {
        let failure = await client.send(HTTPClientRequest(url: url)).failure
        #expect(failure?.code == .url)
        #expect(failure?.message.contains("secret") == false)
    }

    @Test(
        "A header that would change the message is refused, and its value not repeated",
        arguments: [
            ("X", "secret\r\nX-Other: 1"), ("X", "secret\nX"), ("X", "secret\0"), ("X\r\nY", "secret"), ("", "secret"),
            ("X Y", "secret"), ("X:", "secret"), ("Content-Length", "5"), ("transfer-encoding", "chunked"),
            ("Connection", "close"), ("Expect", "100-continue"),
        ])
    func header(name: String, value: String) async {
        let failure = await client.send(
            HTTPClientRequest(url: "http://127.0.0.1:1/", headers: HeaderFields([HeaderField(name, value)]))
        ).failure
        #expect(failure?.code == .request)
        #expect(failure?.message.contains("secret") == false)
    }

    @Test("A method that is no token is refused", arguments: ["", "GET /", "PO\r\nST", "HEAD"])
    func method(method: String) async {
        let request = HTTPClientRequest(method: method, url: "http://127.0.0.1:1/", body: [1])
        #expect(await client.send(request).code == .request)
    }

    @Test("Beyond the bound a request fails at once, and those under way are not disturbed")
    func busy() async throws {
        let client = HTTPClient(maximumConnections: 1, maximumOutstanding: 3)
        let server = ScriptedServer { connection in
            connection.waitForClose()
        }
        let outcomes = Collected<TransportFailure.Code?>()
        for _ in 0..<5 {
            client.send(HTTPClientRequest(url: server.url(), timeout: .seconds(60))) { outcomes.append($0.code) }
        }
        #expect(outcomes.values == [.clientBusy, .clientBusy])
        client.shutdown()
        #expect(outcomes.values == [.clientBusy, .clientBusy, .shutdown, .shutdown, .shutdown])
    }

    @Test("Requests beyond the connections wait for their turn, and fail when it does not come in time")
    func waiting() async throws {
        let client = HTTPClient(maximumConnections: 2)
        let server = ScriptedServer { request in HTTPResponse(status: 200, body: request.body) }
        let outcomes = Collected<[UInt8]?>()
        for number in 0..<50 {
            client.send(HTTPClientRequest(url: server.url(), body: [UInt8(number)])) {
                outcomes.append(try? $0.get().body)
            }
        }
        #expect(await poll { outcomes.count == 50 })
        #expect(Set(outcomes.values) == Set((0..<50).map { [UInt8($0)] }))
        #expect(server.connectionCount <= 2)

        let silent = ScriptedServer { $0.waitForClose() }
        for _ in 0..<2 { client.send(HTTPClientRequest(url: silent.url(), timeout: .seconds(60))) { _ in } }
        let late = await client.send(HTTPClientRequest(url: server.url(), timeout: .milliseconds(200)))
        #expect(late.code == .timeout)
    }

    @Test("Shutting down completes everything that is outstanding, and refuses what comes later")
    func shutdown() async {
        let client = HTTPClient(maximumConnections: 4)
        let server = ScriptedServer { $0.waitForClose() }
        let outcomes = Collected<TransportFailure.Code?>()
        for _ in 0..<10 { client.send(HTTPClientRequest(url: server.url())) { outcomes.append($0.code) } }
        #expect(await poll { server.connectionCount == 4 })
        client.shutdown()
        #expect(outcomes.values == Array(repeating: .shutdown, count: 10))
        #expect(await client.send(HTTPClientRequest(url: server.url())).code == .shutdown)
        #expect(await client.openStream(port: server.port).code == .shutdown)
        client.shutdown()
    }

    @Test("A client may be shut down, and let go, from one of its own completions")
    func shutdownFromCompletion() async {
        let outcomes = Collected<TransportFailure.Code?>()
        let server = ScriptedServer { _ in HTTPResponse(status: 200) }
        do {
            let client = HTTPClient()
            client.send(HTTPClientRequest(url: server.url())) { outcome in
                client.shutdown()
                client.send(HTTPClientRequest(url: server.url())) { outcomes.append($0.code) }
                outcomes.append(outcome.code)
            }
        }
        #expect(await poll { outcomes.count == 2 })
        #expect(outcomes.values == [.shutdown, nil])
    }
}
