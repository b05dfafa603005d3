import Addresses
import HTTPServer
import HTTPTypes
import Synchronization
import Testing

@Suite("Limits of a body")
struct BodyLimitTests {
    @Test("refuses an announced length before anything of the body is read")
    func announced() throws {
        let log = ReceiverLog()
        let refusals = Mutex<[HTTPRefusal]>([])
        let server = try startServer(ScriptedHandler { _ in .accept(maximumBody: 10, log.receiver()) }) {
            $0.onRefusal = { refusal in refusals.withLock { $0.append(refusal) } }
        }
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send("POST /in/a?token=x HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n01234567890")
        let answer = client.receiveAll()
        #expect(answer.text.hasPrefix("HTTP/1.1 413 ") && answer.closed)
        #expect(answer.text.contains("\"code\":\"too_large\""))
        #expect(log.events.withLock { $0 } == ["abandoned bodyTooLarge"])
        let refusal = try #require(refusals.withLock { $0.first })
        #expect(refusal.code == "too_large" && refusal.status == 413 && refusal.path == "/in/a")
        #expect(refusal.address?.description == "127.0.0.1")
    }

    @Test("takes a body of exactly the limit")
    func exact() throws {
        let server = try startServer(
            ScriptedHandler { head in .buffered(head, maximum: 10) { $1.respond(.text("\($0.count)")) } })
        defer { server.stop() }
        for body in [
            "Content-Length: 10\r\n\r\n0123456789",
            "Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n",
        ] {
            let client = try RawClient(port: server.port)
            client.send("POST / HTTP/1.1\r\nHost: a\r\n\(body)")
            #expect(client.receiveResponse()?.body == "10")
        }
    }

    @Test("refuses a chunked body as soon as it is longer, while more is still being sent")
    func chunked() throws {
        let log = ReceiverLog()
        let refusals = Mutex<[String]>([])
        let server = try startServer(ScriptedHandler { _ in .accept(maximumBody: 100_000, log.receiver()) }) {
            $0.onRefusal = { refusal in refusals.withLock { $0.append(refusal.code) } }
        }
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        let chunk = "1000\r\n" + String(repeating: "x", count: 4096) + "\r\n"
        for _ in 0..<40 { client.send(chunk) }
        let answer = client.receiveAll()
        #expect(answer.text.hasPrefix("HTTP/1.1 413 ") && answer.closed)
        #expect(answer.text.contains("\"code\":\"too_large\""))
        #expect(log.events.withLock { $0.last } == "abandoned bodyTooLarge")
        #expect(refusals.withLock { $0 } == ["too_large"])
    }

    @Test("sends a receiver's refusal in the middle of a body, and says no more to it")
    func refusedByReceiver() throws {
        let log = ReceiverLog(refusing: "bad")
        let server = try startServer(ScriptedHandler { _ in .accept(maximumBody: 1 << 20, log.receiver()) })
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nbad")
        let answer = client.receiveAll()
        #expect(answer.text.hasPrefix("HTTP/1.1 422 "))
        #expect(answer.text.hasSuffix("\r\n\r\nrefused") && answer.closed)
        server.stop()
        #expect(log.events.withLock { $0 } == ["received 3"])
    }

    @Test("tells the receiver when the client goes away or breaks the chunks")
    func abandoned() throws {
        for (wire, reason) in [
            ("Content-Length: 10\r\n\r\nabc", "connectionClosed"),
            ("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n", "malformed"),
        ] {
            let log = ReceiverLog()
            let server = try startServer(ScriptedHandler { _ in .accept(maximumBody: 100, log.receiver()) })
            defer { server.stop() }
            let client = try RawClient(port: server.port)
            client.send("POST / HTTP/1.1\r\nHost: a\r\n\(wire)")
            #expect(eventually { log.events.withLock { !$0.isEmpty } })
            client.endSending()
            #expect(eventually { log.events.withLock { $0 } == ["received 3", "abandoned \(reason)"] })
        }
    }
}

/// Writes down what happened to a body.
final class ReceiverLog: Sendable {
    let events = Mutex<[String]>([])
    private let refusing: String?

    init(refusing: String? = nil) { self.refusing = refusing }

    func receiver() -> ScriptedReceiver {
        ScriptedReceiver(
            chunk: { [self] bytes in
                events.withLock { $0.append("received \(bytes.count)") }
                return String(decoding: bytes, as: UTF8.self) == refusing ? .text("refused", status: 422) : nil
            },
            finish: { [self] in
                events.withLock { $0.append("finished") }
                $0.respond(HTTPResponse(status: 204))
            },
            abandon: { [self] reason in events.withLock { $0.append("abandoned \(reason.rawValue)") } })
    }
}
