import Events
import Synchronization
import TestSupport
import Testing

@testable import Targets

@Suite("A syslog target, over the wire")
struct LiveSyslogTests {
    private func target(_ text: String) throws -> any Target {
        let (blueprint, messages) = try decode(text)
        #expect(messages == [])
        return try #require(blueprint).make(testContext())
    }

    private func event(_ number: Int) throws -> OutgoingEvent {
        Sample.outgoing(try Sample.event(name: "Visitor \(number)", original: nil))
    }

    /// Takes octet-counted messages apart.
    private static func messages(_ bytes: [UInt8]) -> [String]? {
        var messages: [String] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let space = rest.firstIndex(of: 0x20), let count = Int(text(Array(rest[..<space]))) else {
                return nil
            }
            rest = rest[(space + 1)...]
            guard rest.count >= count else { return nil }
            messages.append(text(Array(rest.prefix(count))))
            rest = rest.dropFirst(count)
        }
        return messages
    }

    @Test("sends everything over one connection, which the first message opens")
    func oneConnection() async throws {
        let received = Collected<[UInt8]>()
        let server = ScriptedServer(script: { received.append($0.readAll()) })
        let target = try target("{type: syslog, address: \"tcp://127.0.0.1:\(server.port)\", allow: 127.0.0.1/32}")
        #expect(server.connectionCount == 0)
        let outcomes = Collected<DeliveryOutcome>()
        for number in 0..<100 { target.send(try event(number)) { outcomes.append($0) } }
        #expect(await poll { outcomes.count == 100 })
        #expect(outcomes.values.allSatisfy { $0.receipt != nil })
        target.close()
        #expect(await poll { received.count == 1 })
        let messages = try #require(Self.messages(received.values[0]))
        #expect(messages.count == 100)
        for number in 0..<100 { #expect(messages.contains { $0.contains("\"Visitor \(number)\"") }) }
        #expect(server.connectionCount == 1)
    }

    @Test(
        "connects again after the receiver closed, and loses nothing that it called delivered but what was on its way")
    func reconnects() async throws {
        let received = Collected<[UInt8]>()
        let server = ScriptedServer(script: { connection in
            // The first connection is closed after the first message; the others are read to their end.
            received.append(connection.number == 0 ? connection.read() : connection.readAll())
        })
        let target = try target("{type: syslog, address: \"tcp://127.0.0.1:\(server.port)\", allow: 127.0.0.1/32}")
        #expect(await target.send(try event(0)).receipt != nil)
        #expect(await poll { received.count == 1 && server.openConnectionCount == 0 })
        // Sent again as Delivery would, until it is through.
        var failures: [DeliveryFailure] = []
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            guard let failure = await target.send(try event(1)).failure else { break }
            failures.append(failure)
        }
        #expect(failures.allSatisfy { $0.code == "connection_closed" && $0.blame == .target })
        #expect(failures.count <= 1)
        target.close()
        #expect(await poll { received.count == 2 })
        #expect(Self.messages(received.values[1])?.count == 1)
    }

    @Test("fails what is in flight when the connection breaks, so that it is sent again")
    func breaks() async throws {
        let server = ScriptedServer(script: { connection in
            _ = connection.read(atMost: 1)
            connection.resetAtEnd()
        })
        let target = try target(
            "{type: syslog, address: \"tcp://127.0.0.1:\(server.port)\", allow: 127.0.0.1/32, max_bytes: 1MiB, concurrency: 64}"
        )
        let outcomes = Collected<DeliveryOutcome>()
        // More than the kernel's buffers take.
        let big = Sample.outgoing(try Sample.event(name: String(repeating: "x", count: 1_000_000), original: nil))
        for _ in 0..<20 { target.send(big) { outcomes.append($0) } }
        #expect(await poll { outcomes.count == 20 })
        let failures = outcomes.values.compactMap(\.failure)
        #expect(!failures.isEmpty)
        #expect(
            failures.allSatisfy { $0.code == "connection_closed" && $0.blame == .target },
            "\(Set(failures.map(\.code)))")
    }

    @Test("blames the target when nobody listens, for each message that waited")
    func refused() async throws {
        let server = ScriptedServer(script: { _ in })
        let target = try target("{type: syslog, address: \"tcp://127.0.0.1:\(server.port)\", allow: 127.0.0.1/32}")
        server.stop()
        let outcomes = Collected<DeliveryOutcome>()
        for number in 0..<5 { target.send(try event(number)) { outcomes.append($0) } }
        #expect(await poll { outcomes.count == 5 })
        #expect(outcomes.values.allSatisfy { $0.failure?.code == "connect_refused" && $0.failure?.blame == .target })
    }

    @Test("fails closed for a certificate of a strange authority, a wrong name or a past date")
    func tls() async throws {
        let authority = try LocalAuthority()
        func failure(_ identity: LocalAuthority.Identity, _ ca: String) async throws -> DeliveryFailure? {
            let server = ScriptedServer(tls: ServerTLS(identity), script: { _ = $0.readAll() })
            let target = try target(
                "{type: syslog, address: \"tls://127.0.0.1:\(server.port)\", allow: 127.0.0.1/32, tls: {ca: \(ca)}}")
            let outcome = await target.send(try event(1))
            target.close()
            return outcome.failure
        }
        #expect(try await failure(try authority.issue(), authority.caFile) == nil)
        let stranger = try LocalAuthority()
        #expect(try await failure(try authority.issue(), stranger.caFile)?.code == "tls_untrusted")
        #expect(try await failure(try authority.issue(["DNS:other.test"]), authority.caFile)?.code == "tls_name")
        #expect(try await failure(try authority.issue(isExpired: true), authority.caFile)?.code == "tls_expired")
    }

    @Test("sends one datagram a message over UDP")
    func datagrams() async throws {
        let receiver = DatagramReceiver()
        let target = try target(
            "{type: syslog, address: \"udp://127.0.0.1:\(receiver.port)\", allow: 127.0.0.1/32, format: cef}")
        for number in 0..<5 { #expect(await target.send(try event(number)).receipt != nil) }
        #expect(await poll { receiver.messages.count == 5 })
        for (number, message) in receiver.messages.enumerated() {
            #expect(
                text(message).hasPrefix("<166>1 2020-01-01T12:00:01.000Z gate.test gatehouse - visitor.signin - CEF:0|")
            )
            #expect(text(message).contains("suser=Visitor \(number) "))
        }
        target.close()
        #expect(await target.send(try event(9)).failure?.code == "target_closed")
    }

    @Test("fails everything that waits when it is closed")
    func closed() async throws {
        let server = ScriptedServer(script: { _ = $0.readAll() })
        let target = try target("{type: syslog, address: \"tcp://127.0.0.1:\(server.port)\", allow: 127.0.0.1/32}")
        #expect(await target.send(try event(0)).receipt != nil)
        target.close()
        #expect(await target.send(try event(1)).failure?.code == "target_closed")
        #expect(await poll { server.openConnectionCount == 0 })
    }
}
