import Addresses
import Glibc
import HTTPServer
import HTTPTypes
import Synchronization
import Testing

@Suite("Serving")
struct ServingTests {
    @Test("answers several requests on one connection")
    func keepAlive() throws {
        let server = try startServer(ScriptedHandler.echo())
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        for number in 1...3 {
            client.send("POST /in/\(number) HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx\(number)")
            let response = try #require(client.receiveResponse())
            #expect(response.status == 200)
            #expect(response.body == "x\(number)")
            #expect(response.head.contains("X-Path: /in/\(number)\r\n"))
        }
    }

    @Test("answers requests sent ahead in their order")
    func pipelining() throws {
        let server = try startServer(ScriptedHandler.echo())
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send(
            (1...5).map { "POST /\($0) HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n\($0)" }.joined()
                + "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        let answer = client.receiveAll()
        let paths = answer.text.split(separator: "\r\n").filter { $0.hasPrefix("X-Path: ") }
        #expect(paths == ["X-Path: /1", "X-Path: /2", "X-Path: /3", "X-Path: /4", "X-Path: /5", "X-Path: /last"])
        #expect(answer.closed)
    }

    @Test("hands a large body over in pieces and whole")
    func largeBody() throws {
        let sizes = Mutex<[Int]>([])
        let server = try startServer(
            ScriptedHandler { _ in
                .accept(
                    maximumBody: 4 << 20,
                    ScriptedReceiver(
                        chunk: { bytes in
                            sizes.withLock { $0.append(bytes.count) }
                            return nil
                        },
                        finish: { $0.respond(.text("\(sizes.withLock { $0.reduce(0, +) })")) }))
            })
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n")
        client.send([UInt8](repeating: 1, count: 3_000_000))
        #expect(try #require(client.receiveResponse()).body == "3000000")
        #expect(sizes.withLock { $0.max()! } <= 64 * 1024)
    }

    @Test("takes a chunked body, and closes behind it")
    func chunked() throws {
        let handler = ScriptedHandler.echo()
        let server = try startServer(handler)
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send(
            "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: u\r\n\r\n"
                + "GET /behind HTTP/1.1\r\nHost: a\r\n\r\n")
        let answer = client.receiveAll()
        #expect(answer.text.hasPrefix("HTTP/1.1 200 "))
        #expect(answer.text.hasSuffix("\r\n\r\nabc0123456789"))
        #expect(answer.text.contains("\r\nConnection: close\r\n"))
        #expect(answer.closed)
        let heads = handler.heads.withLock { $0 }
        #expect(heads.map(\.path) == ["/c"])
        #expect(heads[0].contentLength == nil && heads[0].hasBody)
    }

    @Test("is answered later and from another thread")
    func later() throws {
        let waiting = Waiting()
        let server = try startServer(waiting.handler)
        defer { server.stop() }
        let clients = try (0..<20).map { _ in try RawClient(port: server.port) }
        for round in 0..<3 {
            for client in clients { client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab") }
            #expect(eventually { waiting.count == 20 })
            for exchange in waiting.take() {
                exchange.respond(.text("\(round)"))
                exchange.respond(.text("a second answer"))
            }
            for client in clients { #expect(client.receiveResponse()?.body == "\(round)") }
        }
    }

    @Test("gives every request of many connections its own answer, answered at once or from another thread")
    func concurrency() throws {
        let later = Mutex<[(HTTPExchange, HTTPResponse)]>([])
        let isDone = Atomic(false)
        let server = try startServer(
            ScriptedHandler { head in
                .buffered(head, maximum: 100) { body, exchange in
                    let answer = HTTPResponse(status: 200, body: Array(head.path.utf8) + body)
                    if body.first == UInt8(ascii: "0") { return exchange.respond(answer) }
                    later.withLock { $0.append((exchange, answer)) }
                }
            })
        defer { server.stop() }
        let answering = TestThread {
            while !isDone.load(ordering: .relaxed) {
                let batch = later.withLock { later in
                    defer { later = [] }
                    return later
                }
                for (exchange, answer) in batch { exchange.respond(answer) }
            }
        }
        let port = server.port
        let wrong = Atomic(0)
        let clients = (0..<8).map { number in
            TestThread {
                guard let client = try? RawClient(port: port) else { return }
                for turn in 0..<300 {
                    let body = "\(turn % 2)\(10 + turn % 90)"
                    client.send("POST /\(number) HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n\(body)")
                    let isRight = client.receiveResponse()?.body == "/\(number)\(body)"
                    if !isRight { wrong.add(1, ordering: .relaxed) }
                }
            }
        }
        for client in clients { client.join() }
        isDone.store(true, ordering: .relaxed)
        answering.join()
        #expect(wrong.load(ordering: .relaxed) == 0)
    }

    @Test("answers 500 to a request whose exchange was dropped")
    func dropped() throws {
        let server = try startServer(ScriptedHandler { .buffered($0, maximum: 100) { _, _ in } })
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab")
        let response = try #require(client.receiveResponse())
        #expect(response.status == 500 && response.body.contains("\"code\":\"unanswered\""))
    }

    @Test("sends 100 Continue only once the head was accepted")
    func expectContinue() throws {
        let server = try startServer(
            ScriptedHandler { head in
                head.path == "/no"
                    ? .refuse(.text("no", status: 404))
                    : .buffered(head, maximum: 10) { $1.respond(.text("\($0.count)")) }
            })
        defer { server.stop() }
        let fields = "Host: a\r\nExpect: 100-continue\r\nContent-Length:"
        let good = try RawClient(port: server.port)
        good.send("POST /yes HTTP/1.1\r\n\(fields) 2\r\n\r\n")
        #expect(good.receive().map { String(decoding: $0, as: UTF8.self) } == "HTTP/1.1 100 Continue\r\n\r\n")
        good.send("ab")
        #expect(good.receiveResponse()?.body == "2")
        let refused = try RawClient(port: server.port)
        refused.send("POST /no HTTP/1.1\r\n\(fields) 2\r\n\r\n")
        let answer = refused.receiveAll()
        #expect(answer.text.hasPrefix("HTTP/1.1 404 ") && answer.closed)
        let large = try RawClient(port: server.port)
        large.send("POST /yes HTTP/1.1\r\n\(fields) 11\r\n\r\n")
        #expect(large.receiveAll().text.hasPrefix("HTTP/1.1 413 "))
    }

    @Test("keeps the connection after a refusal without a body, and closes it where a body was coming")
    func refusal() throws {
        let server = try startServer(ScriptedHandler { .refuse(.text("no \($0.path)", status: 404)) })
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        for path in ["/a", "/b"] {
            client.send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(client.receiveResponse()?.body == "no \(path)")
        }
        client.send(
            "POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + String(repeating: "x", count: 500_000))
        let answer = client.receiveAll()
        #expect(answer.text.hasPrefix("HTTP/1.1 404 ") && answer.text.hasSuffix("no /c") && answer.closed)
    }

    @Test("sends what a handler puts into a header as one header, and no body to HEAD")
    func responseHeaders() throws {
        let server = try startServer(
            ScriptedHandler { _ in
                .refuse(
                    HTTPResponse(
                        status: 299, headers: ["X-A": "b\r\nX-Injected: c\td", "Content-Length": "1", "X-É": "é"],
                        body: Array("body".utf8)))
            })
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        let text = client.receiveAll().text
        #expect(text.hasPrefix("HTTP/1.1 299 "))
        #expect(text.contains("\r\nX-A: b  X-Injected: c d\r\n"))
        #expect(text.contains("\r\nContent-Length: 4\r\n") && !text.contains("Content-Length: 1"))
        #expect(text.hasSuffix("\r\n\r\n"))
    }

    @Test("gives answers that share memory or status each their own content", arguments: [1, 64])
    func responseCache(repetitions: Int) throws {
        let one = HTTPResponse.json("{\"code\":1}")
        var other = one
        other.headers.append("X-Other", "1")
        var third = one
        third.status = 503
        var fourth = one
        fourth.closesConnection = true
        let answers = [one, other, third, HTTPResponse(status: 204), HTTPResponse(status: 200), fourth]
        let server = try startServer(ScriptedHandler { .refuse(answers[Int($0.path.dropFirst())!]) })
        defer { server.stop() }
        for _ in 0..<repetitions {
            let client = try RawClient(port: server.port)
            let wire = answers.indices.map { "GET /\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined()
            client.send(wire)
            let text = client.receiveAll().text
            let statuses = text.split(separator: "HTTP/1.1 ").map { $0.prefix(3) }
            #expect(statuses == ["200", "200", "503", "204", "200", "200"])
            #expect(text.ranges(of: "X-Other: 1\r\n").count == 1)
            #expect(text.ranges(of: "{\"code\":1}").count == 4)
            #expect(text.ranges(of: "Connection: close\r\n").count == 1)
        }
    }

    @Test("serves HTTP/1.0, and keeps such a connection only when asked to")
    func oldVersion() throws {
        let server = try startServer(ScriptedHandler.echo())
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send("POST /a HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na")
        #expect(client.receiveResponse()?.body == "a")
        client.send("POST /a HTTP/1.0\r\nContent-Length: 1\r\n\r\nb")
        let answer = client.receiveAll()
        #expect(answer.text.hasSuffix("b") && answer.closed)
    }

    @Test("tells the handler who the peer is and how many are connected")
    func peer() throws {
        let handler = ScriptedHandler.echo()
        let server = try startServer(handler)
        defer { server.stop() }
        let clients = try (0..<3).map { _ in try RawClient(port: server.port) }
        for client in clients {
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(client.receiveResponse() != nil)
        }
        #expect(handler.heads.withLock { $0.map { $0.peer?.description } } == ["127.0.0.1", "127.0.0.1", "127.0.0.1"])
        #expect(server.statistics.openConnections == 3)
        for client in clients { shutdown(client.descriptor, Int32(SHUT_RDWR)) }
        #expect(eventually { server.statistics.openConnections == 0 })
    }
}
