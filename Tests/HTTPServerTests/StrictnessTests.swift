import HTTPServer
import HTTPTypes
import Synchronization
import Testing

@testable import HTTPServer

@Suite("Strictness on the wire")
struct StrictnessTests {
    @Test("refuses with 400, closes, and runs no request behind it", arguments: WireShape.all)
    func refuses(shape: WireShape) throws {
        let handler = ScriptedHandler.echo()
        let refusals = Mutex<[HTTPRefusal]>([])
        let server = try startServer(handler) { $0.onRefusal = { refusal in refusals.withLock { $0.append(refusal) } } }
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send(shape.bytes + Array("GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
        let answer = client.receiveAll()
        #expect(answer.closed)
        #expect(answer.text.hasPrefix("HTTP/1.1 400 "))
        #expect(handler.heads.withLock { $0.isEmpty })
        if !shape.isRefusedByLibrary {
            #expect(answer.text.contains("\"code\":\"malformed\""))
            #expect(answer.text.contains("Content-Type: application/problem+json\r\n"))
            #expect(answer.text.ranges(of: "HTTP/1.1 ").count == 1, "one answer")
        }
        #expect(eventually { refusals.withLock { $0.map(\.code) } == ["malformed"] })
    }

    @Test("refuses it on every path and after a good request", arguments: ["/", "/healthz", "/no/such?x=%00"])
    func anyPath(path: String) throws {
        let handler = ScriptedHandler.echo()
        let server = try startServer(handler)
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send(
            "GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n"
                + "GET \(path) HTTP/1.1\r\nHost: a\r\nContent-Length : 2\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
        )
        let answer = client.receiveAll()
        #expect(answer.closed)
        #expect(answer.text.hasPrefix("HTTP/1.1 200 "))
        #expect(answer.text.contains("HTTP/1.1 400 "))
        #expect(handler.heads.withLock { $0.map(\.target) } == [path])
    }

    @Test("never refuses a strict request, in whatever pieces it comes")
    func pieces() throws {
        let handler = ScriptedHandler.echo()
        let server = try startServer(handler)
        defer { server.stop() }
        let wire = Array(
            "POST /in/a?b=c&d HTTP/1.1\r\nHost: a\r\nX-E:\r\nCookie: a=b; c\r\nX-T: \t b \r\nContent-Length: 2\r\n\r\nab"
                .utf8)
        for cut in stride(from: 1, to: wire.count, by: 3) {
            let client = try RawClient(port: server.port)
            client.send(Array(wire[..<cut]))
            client.send(Array(wire[cut...]))
            let response = try #require(client.receiveResponse())
            #expect(response.status == 200 && response.body == "ab")
        }
        let heads = handler.heads.withLock { $0 }
        #expect(heads.allSatisfy { $0.target == "/in/a?b=c&d" && $0.path == "/in/a" && $0.query == "b=c&d" })
        #expect(heads.allSatisfy { $0.headers.fields.map(\.value) == ["a", "", "a=b; c", "b", "2"] })
    }

    @Test("keeps the target as received")
    func rawTarget() throws {
        let handler = ScriptedHandler.echo()
        let server = try startServer(handler)
        defer { server.stop() }
        let targets = ["/a%2Fb%00c", "/a+b?c+d=%20&e&&=", "/?", "/a?b?c", "*", "http://host/p?q", "//x", "/%"]
        for target in targets {
            let client = try RawClient(port: server.port)
            client.send("GET \(target) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(client.receiveAll().text.hasPrefix("HTTP/1.1 200 "))
        }
        #expect(handler.heads.withLock { $0.map(\.target) } == targets)
        #expect(
            handler.heads.withLock { $0.map(\.path) } == ["/a%2Fb%00c", "/a+b", "/", "/a", "*", "/p", "//x", "/%"])
    }

    @Test("outlives whatever bytes come")
    func damage() throws {
        let server = try startServer(ScriptedHandler.echo()) { $0.maxHeaderBytes = 4096 }
        defer { server.stop() }
        let seeds =
            WireShape.all.map(\.bytes) + [
                Array("POST /a?b=c&d HTTP/1.1\r\nHost: a\r\nCookie: a=\"b\"; c\r\nContent-Length: 3\r\n\r\nabc".utf8),
                Array(
                    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nT: u\r\n\r\n"
                        .utf8),
            ]
        var generator = SplitMix(seed: 11)
        for _ in 0..<1500 {
            var bytes = seeds.randomElement(using: &generator)! + seeds.randomElement(using: &generator)!
            for _ in 0..<Int.random(in: 0...6, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes[place] = [0, 10, 13, 32, 58, 38, 37, 59].randomElement(using: &generator)!
                case 2: bytes.remove(at: place)
                default:
                    let count = Int.random(in: 1...3000, using: &generator)
                    bytes.insert(contentsOf: repeatElement(bytes[place], count: count), at: place)
                }
            }
            let client = try RawClient(port: server.port)
            let cut = Int.random(in: 0..<bytes.count, using: &generator)
            client.send(Array(bytes[..<cut]))
            client.send(Array(bytes[cut...]))
            client.endSending()
            #expect(client.receiveAll().closed)
        }
        let client = try RawClient(port: server.port)
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.receiveResponse()?.status == 200)
    }

    @Test("answers 431 to more fields than are taken, and to a header section that is too long")
    func tooLarge() throws {
        let server = try startServer(ScriptedHandler.echo()) {
            $0.maxHeaderCount = 10
            $0.maxHeaderBytes = 4096
        }
        defer { server.stop() }
        let fields = (0..<10).map { "X-\($0): a\r\n" }.joined()
        for section in [
            fields, "X-A: " + String(repeating: "a", count: 4096) + "\r\n",
            "X-A: " + String(repeating: "a", count: 100_000) + "\r\n",
        ] {
            let client = try RawClient(port: server.port)
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\(section)\r\n")
            let answer = client.receiveAll()
            #expect(answer.text.hasPrefix("HTTP/1.1 431 ") && answer.closed)
        }
        let client = try RawClient(port: server.port)
        client.send("GET /\(String(repeating: "a", count: 100_000)) HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.receiveAll().text.hasPrefix("HTTP/1.1 414 "))
    }
}
