import Glibc
import HTTPTypes
import Synchronization
import Testing

@testable import HTTPServer

@Suite("Limit of connections")
struct ConnectionLimitTests {
    private static let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    @Test("a new client takes the place of the longest idle connection")
    func idle() throws {
        let server = try startServer(ScriptedHandler.echo()) { $0.connections = 4 }
        defer { server.stop() }
        let clients = try (0..<4).map { _ in try connected(server) }
        let newer = try (0..<2).map { _ in try connected(server) }
        #expect(clients[0].receiveAll().closed && clients[1].receiveAll().closed)
        for client in clients[2...] + newer[...] {
            client.send(Self.request)
            #expect(client.receiveResponse()?.status == 200)
        }
    }

    @Test("clients that never complete their head do not keep others out", arguments: ["", "GET / HTTP/1.1\r\nX-A: "])
    func slowHeads(sent: String) throws {
        let server = try startServer(ScriptedHandler.echo()) { $0.connections = 8 }
        defer { server.stop() }
        var slow: [RawClient] = []
        for number in 1...40 {
            let client = try RawClient(port: server.port)
            client.send(sent)
            slow.append(client)
            if number % 8 == 0 {
                let good = try connected(server)
                good.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                #expect(good.receiveResponse()?.status == 200)
            }
        }
        #expect(eventually { server.statistics.openConnections <= 8 })
    }

    @Test("when all are at work a new client is told 503")
    func busy() throws {
        let waiting = Waiting()
        let refusals = Mutex<[String]>([])
        let handler = ScriptedHandler { head in
            head.method == "OPTIONS" ? .refuse(.text("")) : waiting.handler.receive(head)
        }
        let server = try startServer(handler) {
            $0.connections = 3
            $0.onRefusal = { refusal in refusals.withLock { $0.append(refusal.code) } }
        }
        defer { server.stop() }
        let busy = try (0..<3).map { _ in
            let client = try RawClient(port: server.port)
            client.send(Self.request)
            return client
        }
        #expect(eventually { waiting.count == 3 })
        let refused = try RawClient(port: server.port)
        refused.send(Self.request)
        let answer = refused.receiveAll()
        #expect(answer.text.hasPrefix("HTTP/1.1 503 ") && answer.closed)
        #expect(answer.text.contains("\r\nRetry-After: 5\r\n") && answer.text.contains("\"code\":\"connection_limit\""))
        #expect(refusals.withLock { $0 } == ["connection_limit"])
        for exchange in waiting.take() { exchange.respond(.text("done")) }
        for client in busy { #expect(client.receiveResponse()?.body == "done") }
        #expect(eventually { (try? served(server)) == true }, "their connections are idle now, and give way")
    }

    @Test("when all are at work a client that must be served soon is, on a connection kept for it")
    func urgent() throws {
        let waiting = Waiting()
        let server = try startServer(UrgentHandler(waiting.handler)) { $0.connections = 2 }
        defer { server.stop() }
        let busy = try (0..<2).map { _ in
            let client = try RawClient(port: server.port)
            client.send(Self.request)
            return client
        }
        #expect(eventually { waiting.count == 2 })
        let refused = try RawClient(port: server.port)
        refused.send(Self.request)
        #expect(refused.receiveAll().text.hasPrefix("HTTP/1.1 503 "))
        let urgent = try RawClient(port: server.port)
        urgent.send("GET /door HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(urgent.receiveResponse()?.body == "open")
        for exchange in waiting.take() { exchange.respond(.text("done")) }
        for client in busy { #expect(client.receiveResponse()?.body == "done") }
    }

    @Test("of those that must be served soon many more may wait than are kept for those that are turned away")
    func manyUrgent() throws {
        let waiting = Waiting()
        let server = try startServer(UrgentHandler(waiting.handler)) { $0.connections = 2 }
        defer { server.stop() }
        let doors = try (0..<ServerCore.surplus * 3).map { _ in
            let client = try RawClient(port: server.port)
            client.send("GET /door/waiting HTTP/1.1\r\nHost: a\r\n\r\n")
            return client
        }
        #expect(eventually { waiting.count == doors.count })
        let last = try RawClient(port: server.port)
        last.send("GET /door HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(last.receiveResponse()?.body == "open")
        for exchange in waiting.take() { exchange.respond(.text("done")) }
        for door in doors { #expect(door.receiveResponse()?.body == "done") }
        let plain = try RawClient(port: server.port)
        plain.send(Self.request)
        #expect(eventually { waiting.count == 1 }, "their connections count no more")
        for exchange in waiting.take() { exchange.respond(.text("done")) }
        #expect(plain.receiveResponse()?.body == "done")
    }

    @Test("clients that say nothing hold up one that must be served soon for a moment, and do not turn it away")
    func silence() throws {
        let waiting = Waiting()
        let server = try startServer(UrgentHandler(waiting.handler)) { $0.connections = 2 }
        defer { server.stop() }
        let busy = try (0..<2).map { _ in
            let client = try RawClient(port: server.port)
            client.send(Self.request)
            return client
        }
        #expect(eventually { waiting.count == 2 })
        let silent = try (0..<ServerCore.surplus * 2).map { _ in try RawClient(port: server.port) }
        let urgent = try RawClient(port: server.port)
        urgent.send("GET /door HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(urgent.receiveResponse()?.body == "open")
        for exchange in waiting.take() { exchange.respond(.text("done")) }
        for client in busy { #expect(client.receiveResponse()?.body == "done") }
        withExtendedLifetime(silent) {}
    }

    private final class UrgentHandler: HTTPHandler {
        private let others: any HTTPHandler

        init(_ others: any HTTPHandler) { self.others = others }

        func receive(_ head: HTTPRequestHead) -> HTTPAdmission {
            head.path == "/door" ? .refuse(.text("open")) : others.receive(head)
        }

        func patience(target: String) -> HTTPPatience? {
            target.hasPrefix("/door") ? HTTPPatience(limit: .seconds(20), answer: .text("closed")) : nil
        }
    }

    @Test("idle connections give way before unfinished heads, the longest first; those at work do not")
    func order() {
        let marks: [(ConnectionPhase, UInt64)] = [
            (.body, 1), (.head, 50), (.idle, 900), (.fresh, 40), (.reply, 2), (.idle, 800), (.handling, 3),
            (.expired, 0),
        ]
        let order = marks.map { PhaseMark($0.0, since: $0.1) }.filter { $0.givesWay != nil }
            .sorted { $0.givesWay! < $1.givesWay! }
        #expect(order.map(\.since) == [800, 900, 40, 50])
    }

    @Test("the limit of open files is raised, and an impossible one is an error that says what to do")
    func openFiles() throws {
        #expect(try FileDescriptorLimit.raise(toAtLeast: 64) >= 64)
        let error = #expect(throws: HTTPServerError.self) {
            try FileDescriptorLimit.raise(toAtLeast: 2_000_000_000)
        }
        #expect(error?.code == .descriptors)
        #expect(error?.message.contains("LimitNOFILE") == true)
    }

    private func connected(_ server: HTTPServer) throws -> RawClient {
        let client = try RawClient(port: server.port)
        client.send(Self.request)
        #expect(client.receiveResponse()?.status == 200)
        return client
    }

    private func served(_ server: HTTPServer) throws -> Bool {
        let client = try RawClient(port: server.port)
        client.send("OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n")
        return client.receiveResponse()?.status == 200
    }
}
