import Dispatch
import Glibc
import HTTPTypes
import Synchronization
import Testing

@testable import HTTPServer

@Suite("Deadlines")
struct DeadlineTests {
    @Test(
        "a client that sends its head byte by byte gets 408", arguments: ["", "GET /first HTTP/1.1\r\nHost: a\r\n\r\n"])
    func slowHead(before: String) throws {
        let refusals = Mutex<[String]>([])
        let handler = ScriptedHandler.echo()
        let server = try startServer(handler) {
            $0.headerDeadline = .milliseconds(300)
            $0.onRefusal = { refusal in refusals.withLock { $0.append(refusal.code) } }
        }
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        if !before.isEmpty {
            client.send(before)
            #expect(client.receiveResponse()?.status == 200)
        }
        client.send("GET /slow HTTP/1.1\r\nX-A: ")
        let sender = trickle(client)
        let answer = client.receiveAll()
        sender.join()
        #expect(answer.text.hasPrefix("HTTP/1.1 408 ") && answer.closed)
        #expect(answer.text.contains("\"code\":\"timeout\""))
        #expect(eventually { refusals.withLock { $0 } == ["timeout"] })
        #expect(handler.heads.withLock { !$0.contains { $0.path == "/slow" } })
        #expect(eventually { server.statistics.openConnections == 0 })
    }

    @Test("a client that sends its body byte by byte gets 408, and its receiver is told")
    func slowBody() throws {
        let log = ReceiverLog()
        let server = try startServer(ScriptedHandler { _ in .accept(maximumBody: 1 << 20, log.receiver()) }) {
            $0.bodyDeadline = .milliseconds(300)
        }
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
        let sender = trickle(client)
        let answer = client.receiveAll()
        sender.join()
        #expect(answer.text.hasPrefix("HTTP/1.1 408 ") && answer.closed)
        #expect(eventually { log.events.withLock { $0.last } == "abandoned timedOut" })
    }

    @Test("a client that connects and says nothing is closed")
    func silent() throws {
        let refusals = Mutex<[String]>([])
        let server = try startServer(ScriptedHandler.echo()) {
            $0.headerDeadline = .milliseconds(100)
            $0.onRefusal = { refusal in refusals.withLock { $0.append(refusal.code) } }
        }
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        #expect(client.receiveAll().closed)
        #expect(eventually { server.statistics.openConnections == 0 })
        #expect(refusals.withLock { $0.isEmpty })
    }

    @Test("an idle connection is closed without a word")
    func idle() throws {
        let server = try startServer(ScriptedHandler.echo()) { $0.idleTimeout = .milliseconds(100) }
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.receiveResponse()?.status == 200)
        let rest = client.receiveAll()
        #expect(rest.text.isEmpty && rest.closed)
    }

    @Test("a client that does not read its answer is closed")
    func slowReader() throws {
        let large = HTTPResponse(status: 200, body: [UInt8](repeating: 65, count: 32 << 20))
        let server = try startServer(ScriptedHandler { _ in .refuse(large) }) { $0.replyDeadline = .milliseconds(200) }
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(eventually { server.statistics.openConnections == 1 })
        #expect(eventually { server.statistics.openConnections == 0 })
        #expect(client.receiveAll().text.utf8.count < large.body.count)
    }

    @Test("a request that waits for its answer has no deadline here")
    func handling() throws {
        let waiting = Waiting()
        let server = try startServer(waiting.handler) {
            $0.headerDeadline = .milliseconds(50)
            $0.bodyDeadline = .milliseconds(50)
            $0.idleTimeout = .milliseconds(50)
        }
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na")
        #expect(eventually { waiting.count == 1 })
        usleep(300_000)
        for exchange in waiting.take() { exchange.respond(.text("late")) }
        #expect(client.receiveResponse()?.body == "late")
    }

    @Test(
        "a request that must arrive soon and does not is told what its handler says, in its head and in its body",
        arguments: ["POST /soon HTTP/1.1\r\nX-A: ", "POST /soon HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\na"])
    func patience(sent: String) throws {
        let log = ReceiverLog()
        let refusals = Mutex<[String]>([])
        let handler = PatientHandler(.milliseconds(400), log)
        let server = try startServer(handler) {
            $0.onRefusal = { refusal in refusals.withLock { $0.append(refusal.code) } }
        }
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send(sent)
        let answer = client.receiveAll()
        #expect(answer.text.hasPrefix("HTTP/1.1 412 ") && answer.closed)
        #expect(answer.text.hasSuffix("\r\n\r\nno"))
        #expect(eventually { refusals.withLock { $0 } == ["timeout"] })
        if sent.hasSuffix("a") { #expect(eventually { log.events.withLock { $0.last } == "abandoned timedOut" }) }
    }

    @Test("a request began when it came in, however long every thread was at work then")
    func begin() throws {
        let gate = DispatchSemaphore(value: 0)
        let ages = Mutex<[UInt64]>([])
        let handler = ScriptedHandler { head in
            if head.path == "/long" { gate.wait() }
            ages.withLock { $0.append(head.receivedAt - head.startedAt) }
            return .refuse(.text(""))
        }
        let server = try startServer(handler) { $0.threads = 1 }
        defer { server.stop() }
        let (long, next) = (try RawClient(port: server.port), try RawClient(port: server.port))
        for client in [long, next] {
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(client.receiveResponse()?.status == 200)
        }
        long.send("GET /long HTTP/1.1\r\nHost: a\r\n\r\n")
        usleep(300_000)
        next.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        usleep(400_000)
        gate.signal()
        #expect(next.receiveResponse()?.status == 200)
        // The system counts in steps of some milliseconds.
        let age = try #require(ages.withLock { $0.last })
        #expect(age >= 300_000_000, "\(age)")
    }

    @Test("a request that has arrived is its handler's, however long it takes; so is the next one on the connection")
    func patienceOver() throws {
        let log = ReceiverLog()
        let waiting = Waiting()
        let handler = PatientHandler(.milliseconds(400), log, waiting.handler)
        let server = try startServer(handler)
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        for path in ["/soon", "/other"] {
            client.send("POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na")
            #expect(eventually { waiting.count == 1 })
            usleep(600_000)
            for exchange in waiting.take() { exchange.respond(.text("late")) }
            #expect(client.receiveResponse()?.body == "late")
        }
    }

    @Test("each phase is over when its own limit is reached, and only then", arguments: ConnectionPhase.allCases)
    func phases(phase: ConnectionPhase) {
        var configuration = HTTPServerConfiguration(listen: .tcp(host: "127.0.0.1", port: 0))
        configuration.headerDeadline = .milliseconds(100)
        configuration.bodyDeadline = .milliseconds(200)
        configuration.replyDeadline = .milliseconds(300)
        configuration.idleTimeout = .milliseconds(400)
        let deadlines = PhaseDeadlines(configuration)
        let mark = PhaseMark(phase, since: 5000)
        #expect(mark.phase == phase && mark.since == 5000)
        let limits: [ConnectionPhase: UInt64] = [
            .fresh: 100_000, .head: 100_000, .body: 200_000, .reply: 300_000, .idle: 400_000,
        ]
        guard let limit = limits[phase] else {
            #expect(!deadlines.isOver(mark, now: .max))
            return
        }
        #expect(!deadlines.isOver(mark, now: 5000 + limit - 1))
        #expect(deadlines.isOver(mark, now: 5000 + limit))
        #expect(!deadlines.isOver(mark, now: 4000), "a clock read earlier on another thread")
    }

    /// Takes requests to `/soon`, which must arrive in that time.
    private final class PatientHandler: HTTPHandler {
        private let limit: Duration
        private let log: ReceiverLog
        private let handler: (any HTTPHandler)?

        init(_ limit: Duration, _ log: ReceiverLog, _ handler: (any HTTPHandler)? = nil) {
            self.limit = limit
            self.log = log
            self.handler = handler
        }

        func receive(_ head: HTTPRequestHead) -> HTTPAdmission {
            handler?.receive(head) ?? .accept(maximumBody: 1 << 20, log.receiver())
        }

        func patience(target: String) -> HTTPPatience? {
            guard target == "/soon" else { return nil }
            return HTTPPatience(limit: limit, answer: HTTPResponse(status: 412, body: Array("no".utf8)))
        }
    }

    /// Sends a byte every 10 ms until the other side is gone.
    private func trickle(_ client: RawClient) -> TestThread {
        let descriptor = client.descriptor
        return TestThread {
            for _ in 0..<2000 {
                var byte = UInt8(ascii: "a")
                guard unsafe send(descriptor, &byte, 1, Int32(MSG_NOSIGNAL)) == 1 else { return }
                usleep(10_000)
            }
        }
    }
}
