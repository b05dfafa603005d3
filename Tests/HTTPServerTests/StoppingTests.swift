import Glibc
import HTTPServer
import HTTPTypes
import Synchronization
import Testing

@Suite("Stopping")
struct StoppingTests {
    private static let request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na"

    @Test("requests that wait for their answer get 503")
    func waiting() throws {
        let waiting = Waiting()
        let server = try startServer(waiting.handler)
        let clients = try (0..<10).map { _ in try RawClient(port: server.port) }
        for client in clients { client.send(Self.request) }
        #expect(eventually { waiting.count == 10 })
        server.stop()
        for client in clients {
            let answer = client.receiveAll()
            #expect(answer.text.hasPrefix("HTTP/1.1 503 ") && answer.closed)
            #expect(answer.text.contains("\"code\":\"shutting_down\""))
        }
        for exchange in waiting.take() { exchange.respond(.text("too late")) }
    }

    @Test("after it stopped accepting, open connections are served once more and new ones refused")
    func draining() throws {
        let waiting = Waiting()
        let server = try startServer(waiting.handler)
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send(Self.request)
        #expect(eventually { waiting.count == 1 })
        #expect(!server.drain(within: .milliseconds(50)))
        #expect(throws: ClientError.self) { try RawClient(port: server.port) }
        waiting.take()[0].respond(.text("done"))
        #expect(server.drain(within: .seconds(10)))
        let answer = client.receiveAll()
        #expect(answer.text.hasPrefix("HTTP/1.1 200 ") && answer.text.contains("Connection: close\r\n"))
    }

    @Test("a body that is still coming is given up")
    func body() throws {
        let log = ReceiverLog()
        let server = try startServer(ScriptedHandler { _ in .accept(maximumBody: 100, log.receiver()) })
        let client = try RawClient(port: server.port)
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab")
        #expect(eventually { log.events.withLock { $0 } == ["received 2"] })
        server.stop()
        #expect(log.events.withLock { $0 } == ["received 2", "abandoned shuttingDown"])
        #expect(client.receiveAll().closed)
    }

    @Test("under load every answer is whole, and nothing is left behind", arguments: 0..<10)
    func load(round: Int) throws {
        let waiting = Waiting()
        let isDone = Atomic(false)
        let server = try startServer(waiting.handler)
        let port = server.port
        let answering = TestThread {
            while !isDone.load(ordering: .relaxed) {
                for exchange in waiting.take() { exchange.respond(.text("fine")) }
            }
        }
        let answers = Atomic(0)
        let broken = Atomic(0)
        let clients = (0..<6).map { _ in
            TestThread {
                while let client = try? RawClient(port: port) {
                    while client.send(Self.request), let response = client.receiveResponse() {
                        answers.add(1, ordering: .relaxed)
                        let isWhole = response.status == 200 && response.body == "fine" || response.status == 503
                        if !isWhole { broken.add(1, ordering: .relaxed) }
                    }
                }
            }
        }
        #expect(eventually { answers.load(ordering: .relaxed) > 100 })
        server.stop()
        for client in clients { client.join() }
        isDone.store(true, ordering: .relaxed)
        answering.join()
        #expect(broken.load(ordering: .relaxed) == 0)
        #expect(server.statistics.openConnections == 0)
    }

    @Test("twice, or before it started, does nothing more")
    func twice() throws {
        let server = try HTTPServer(
            HTTPServerConfiguration(listen: .tcp(host: "127.0.0.1", port: 0)), handler: ScriptedHandler.echo())
        server.stop()
        server.stop()
        server.start()
        #expect(throws: ClientError.self) { try RawClient(port: server.port) }
    }
}
