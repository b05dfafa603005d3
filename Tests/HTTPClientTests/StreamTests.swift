import HTTPClient
import HTTPTypes
import TestSupport
import Testing

@Suite struct StreamTests {
    /// Plain and encrypted streams keep the same promises.
    enum Kind: CaseIterable {
        case plain
        case tls

        var server: ServerTLS? { self == .tls ? ServerTLS(TLSTests.good) : nil }
        var options: TLSOptions? { self == .tls ? TLSTests.trusting : nil }
    }

    @Test("Bytes arrive in the order written, many small writes and large ones alike", arguments: Kind.allCases)
    func order(kind: Kind) async throws {
        let received = Collected<[UInt8]>()
        let server = ScriptedServer(tls: kind.server) { received.append($0.readAll()) }
        let stream = try await client.openStream(
            port: server.port, tls: kind.options, addressGuard: loopbackAllowed, maximumQueuedBytes: 1 << 24
        ).get()
        let done = Collected<Int>()
        var expected: [UInt8] = []
        for number in 0..<3000 {
            let size = number % 500 == 0 ? 300_000 : number % 97
            let message = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: size)
            expected += message
            stream.write(message) { if case .success = $0 { done.append(number) } }
        }
        #expect(await poll { done.count == 3000 })
        #expect(done.values == Array(0..<3000))
        stream.close()
        #expect(await poll { received.count == 1 })
        #expect(received.values.first == expected)
    }

    @Test("A reader that pauses blocks only its own stream, and gets everything in the end", arguments: Kind.allCases)
    func slowReader(kind: Kind) async throws {
        let mayRead = Collected<Bool>()
        let received = Collected<[UInt8]>()
        let slow = ScriptedServer(tls: kind.server) { connection in
            while mayRead.count == 0 { pause(milliseconds: 5) }
            received.append(connection.readAll())
        }
        let quick = ScriptedServer(tls: kind.server) { $0.waitForClose() }
        let blocked = try await client.openStream(port: slow.port, tls: kind.options, timeout: .seconds(30)).get()
        let other = try await client.openStream(port: quick.port, tls: kind.options).get()
        let payload = (0..<20).map { [UInt8](repeating: UInt8($0), count: 1_000_000) }
        let done = Collected<Bool>()
        let writer = Task {
            for part in payload { done.append((try? await blocked.write(part).get()) != nil) }
        }
        for _ in 0..<200 { try await other.write([1, 2, 3]).get() }
        #expect(done.count < payload.count)
        mayRead.append(true)
        await writer.value
        #expect(done.values == payload.map { _ in true })
        blocked.close()
        #expect(await poll { received.count == 1 })
        #expect(received.values.first == payload.flatMap { $0 })
    }

    @Test("Finished in order, the end is told once the other end has read everything", arguments: Kind.allCases)
    func finishes(kind: Kind) async throws {
        let received = Collected<[UInt8]>()
        let server = ScriptedServer(tls: kind.server) { received.append($0.readAll()) }
        let stream = try await client.openStream(
            port: server.port, tls: kind.options, addressGuard: loopbackAllowed, maximumQueuedBytes: 1 << 24
        ).get()
        let ends = Collected<TransportFailure.Code?>()
        stream.onClose { ends.append($0?.code) }
        let payload = [UInt8](repeating: 7, count: 3_000_000)
        stream.write(payload) { _ in }
        stream.finish()
        #expect(await stream.write([1]).code == .connectionClosed)
        #expect(await poll { ends.count == 1 && received.count == 1 })
        #expect(ends.values == [nil])
        #expect(received.values.first == payload)
    }

    @Test("A connection that is reset while it is finished has not ended in order", arguments: Kind.allCases)
    func finishedByReset(kind: Kind) async throws {
        let server = ScriptedServer(tls: kind.server) { connection in
            _ = connection.read(atMost: 1)
            connection.resetAtEnd()
        }
        let stream = try await client.openStream(
            port: server.port, tls: kind.options, addressGuard: loopbackAllowed, maximumQueuedBytes: 1 << 24
        ).get()
        let ends = Collected<TransportFailure.Code?>()
        stream.onClose { ends.append($0?.code) }
        stream.write([UInt8](repeating: 7, count: 3_000_000)) { _ in }
        stream.finish()
        #expect(await poll { ends.count == 1 })
        #expect(ends.values == [.connectionClosed])
    }

    @Test("The other end's close is noticed without a write, and nothing is written after it", arguments: Kind.allCases)
    func peerClose(kind: Kind) async throws {
        let server = ScriptedServer(tls: kind.server) { connection in
            _ = connection.read()
            connection.sayGoodbye()
        }
        let stream = try await client.openStream(port: server.port, tls: kind.options).get()
        let closed = Collected<TransportFailure.Code?>()
        stream.onClose { closed.append($0?.code) }
        try await stream.write([1]).get()
        #expect(await poll { closed.count == 1 })
        #expect(closed.values == [.connectionClosed])
        #expect(!stream.isOpen)
        #expect(await stream.write([2]).code == .connectionClosed)
        stream.onClose { closed.append($0?.code) }
        #expect(closed.values == [.connectionClosed, .connectionClosed])
    }

    @Test("A close that has arrived before a write fails that write, every time", arguments: Kind.allCases)
    func writeAfterClose(kind: Kind) async throws {
        for _ in 0..<20 {
            let server = ScriptedServer(tls: kind.server) { $0.sayGoodbye() }
            let opened = await client.openStream(port: server.port, tls: kind.options)
            guard case .success(let stream) = opened else { continue }
            #expect(await poll { server.connectionCount == 1 && server.openConnectionCount == 0 })
            #expect(await stream.write([1]).code == .connectionClosed)
        }
    }

    @Test("What a receiver says is dropped, however much it is", arguments: Kind.allCases)
    func talkative(kind: Kind) async throws {
        let received = Collected<[UInt8]>()
        let server = ScriptedServer(tls: kind.server) { connection in
            for _ in 0..<200 { connection.write([UInt8](repeating: 1, count: 10_000)) }
            received.append(connection.readAll(atMost: 5))
        }
        let stream = try await client.openStream(port: server.port, tls: kind.options).get()
        try await stream.write(Array("hello".utf8)).get()
        #expect(await poll { received.values == [Array("hello".utf8)] })
    }

    /// What is told of a connection's health.
    private struct Health: Sendable {
        /// Everything whose write was completed until then is acknowledged.
        var upTo: ContinuousClock.Instant
        /// Whether the other end had begun to read.
        var isRead: Bool
        var age: Duration
    }

    @Test(
        "Healthy is what the other end's system has acknowledged: not what waits for a reader that hangs",
        arguments: Kind.allCases)
    func health(kind: Kind) async throws {
        let client = HTTPClient(healthInterval: .milliseconds(10))
        defer { client.shutdown() }
        let mayRead = Collected<Bool>()
        let server = ScriptedServer(tls: kind.server) { connection in
            while mayRead.count == 0 { pause(milliseconds: 5) }
            _ = connection.readAll()
        }
        let stream = try await client.openStream(
            port: server.port, tls: kind.options, timeout: .seconds(60), maximumQueuedBytes: 1 << 26
        ).get()
        let told = Collected<Health>()
        stream.onHealthy { told.append(Health(upTo: .now - $0, isRead: mayRead.count > 0, age: $0)) }
        try await stream.write([1]).get()
        #expect(await poll { told.count > 1 })
        let completed = Collected<ContinuousClock.Instant>()
        for _ in 0..<400 { stream.write([UInt8](repeating: 1, count: 100_000)) { _ in completed.append(.now) } }
        // Until nobody takes any more.
        var before = -1
        while completed.count > before {
            before = completed.count
            try await Task.sleep(for: .milliseconds(100))
        }
        #expect(completed.count < 400)
        let last = try #require(completed.values.last)
        mayRead.append(true)
        #expect(await poll { told.values.contains { $0.upTo > last } })
        #expect(told.values.allSatisfy { $0.upTo <= last || $0.isRead })
    }

    @Test("Healthy is a connection too that is never done, up to some moment before", arguments: Kind.allCases)
    func healthUnderLoad(kind: Kind) async throws {
        let client = HTTPClient(healthInterval: .milliseconds(10))
        defer { client.shutdown() }
        let server = ScriptedServer(tls: kind.server) { connection in
            while !connection.read(atMost: 65_536).isEmpty { pause(milliseconds: 1) }
        }
        let stream = try await client.openStream(
            port: server.port, tls: kind.options, timeout: .seconds(60), maximumQueuedBytes: 1 << 27
        ).get()
        let told = Collected<Health>()
        stream.onHealthy { told.append(Health(upTo: .now - $0, isRead: true, age: $0)) }
        for _ in 0..<1000 { stream.write([UInt8](repeating: 1, count: 100_000)) { _ in } }
        #expect(await poll(deadline: .seconds(30)) { told.values.count { $0.age > .zero } > 3 })
        stream.close()
    }

    @Test("A reset fails what is queued", arguments: Kind.allCases)
    func reset(kind: Kind) async throws {
        let server = ScriptedServer(tls: kind.server) { connection in
            _ = connection.read(atMost: 1)
            connection.resetAtEnd()
        }
        let stream = try await client.openStream(port: server.port, tls: kind.options, maximumQueuedBytes: 1 << 25)
            .get()
        let outcomes = Collected<TransportFailure.Code?>()
        for _ in 0..<20 { stream.write([UInt8](repeating: 1, count: 1_000_000)) { outcomes.append($0.code) } }
        #expect(await poll { outcomes.count == 20 })
        #expect(outcomes.values.last == .connectionClosed)
    }

    @Test("The queue is bounded, and a reader that takes nothing in ends the stream", arguments: Kind.allCases)
    func stalled(kind: Kind) async throws {
        let finished = Collected<Bool>()
        defer { finished.append(true) }
        let server = ScriptedServer(tls: kind.server) { (_: ScriptedConnection) in
            while finished.count == 0 { pause(milliseconds: 5) }
        }
        let stream = try await client.openStream(
            port: server.port, tls: kind.options, timeout: .seconds(1), maximumQueuedBytes: 8_000_000
        ).get()
        let outcomes = Collected<TransportFailure.Code?>()
        for _ in 0..<10 { stream.write([UInt8](repeating: 1, count: 4_000_000)) { outcomes.append($0.code) } }
        #expect(outcomes.values.contains(.clientBusy))
        #expect(await poll { outcomes.count == 10 })
        #expect(outcomes.values.contains(.timeout))
        #expect(await stream.write([1]).code == .timeout)
    }

    @Test("Closing fails what is not yet written and tells that it was closed here", arguments: Kind.allCases)
    func closing(kind: Kind) async throws {
        let received = Collected<Int>()
        let server = ScriptedServer(tls: kind.server) { connection in
            pause(milliseconds: 200)
            received.append(connection.readAll().count)
        }
        let stream = try await client.openStream(port: server.port, tls: kind.options, maximumQueuedBytes: 1 << 26)
            .get()
        let outcomes = Collected<TransportFailure.Code?>()
        let closed = Collected<TransportFailure?>()
        stream.onClose { closed.append($0) }
        stream.write([UInt8](repeating: 1, count: 40_000_000)) { outcomes.append($0.code) }
        stream.close()
        stream.close()
        #expect(await poll { outcomes.count == 1 && closed.count == 1 })
        #expect(outcomes.values == [.connectionClosed])
        #expect(closed.values == [nil])
        #expect(await poll { received.count == 1 })
    }

    @Test("A stream that is let go closes its connection")
    func letGo() async throws {
        let server = ScriptedServer { $0.waitForClose() }
        do {
            let stream = try await client.openStream(port: server.port).get()
            #expect(stream.isOpen)
        }
        #expect(await poll { server.connectionCount == 1 && server.openConnectionCount == 0 })
    }

    @Test("A stream outlives idle time while others come and go")
    func idle() async throws {
        let received = Collected<[UInt8]>()
        let server = ScriptedServer { received.append($0.readAll(atMost: 2)) }
        let other = ScriptedServer { $0.waitForClose() }
        let stream = try await client.openStream(port: server.port).get()
        try await stream.write([1]).get()
        // libcurl clears its connections up at most once a second.
        for _ in 0..<3 {
            try await Task.sleep(for: .milliseconds(1100))
            try await client.openStream(port: other.port).get().close()
        }
        #expect(stream.isOpen)
        try await stream.write([2]).get()
        #expect(await poll { received.values == [[1, 2]] })
    }

    @Test("A stream that cannot be opened says why")
    func unopened() async throws {
        let plain = ScriptedServer { $0.waitForClose() }
        #expect(
            await client.openStream(port: plain.port, addressGuard: AddressGuardForTests.strict).code == .addressRefused
        )
        #expect(plain.connectionCount == 0)
        #expect(
            await client.openStream(port: plain.port, tls: TLSTests.trusting, timeout: .milliseconds(300)).code
                == .connectTimeout)
        let port: Int
        do { port = ScriptedServer { _ in }.port }
        #expect(await client.openStream(port: port).code == .connectRefused)
        #expect(await client.openStream(port: 80, host: "receiver.invalid").code == .dns)
        for host in ["", "a/b", "user@127.0.0.1", "127.0.0.1?", "a b", "[::1]"] {
            #expect(await client.openStream(port: 80, host: host).code == .url)
        }
        #expect(await client.openStream(port: 0).code == .url)
    }

    @Test("Streams verify chain, name and pin as requests do")
    func trust() async throws {
        let server = ScriptedServer(tls: ServerTLS(TLSTests.good)) { $0.waitForClose() }
        #expect(await client.openStream(port: server.port, tls: TLSOptions()).code == .tlsUntrusted)
        var pinned = TLSTests.trusting
        pinned.pinSHA256 = try TLSTests.authority.fingerprint(of: TLSTests.good)
        #expect(try await client.openStream(port: server.port, tls: pinned).get().isOpen)
        pinned.pinSHA256 = String(repeating: "00", count: 32)
        #expect(await client.openStream(port: server.port, tls: pinned).code == .tlsPin)
        let elsewhere = ScriptedServer(tls: ServerTLS(try TLSTests.authority.issue(["DNS:other.test"]))) {
            $0.waitForClose()
        }
        #expect(await client.openStream(port: elsewhere.port, tls: TLSTests.trusting).code == .tlsName)
        let expired = ScriptedServer(tls: ServerTLS(try TLSTests.authority.issue(isExpired: true))) {
            $0.waitForClose()
        }
        #expect(await client.openStream(port: expired.port, tls: TLSTests.trusting).code == .tlsExpired)
    }

    @Test("Shutting the client down ends its streams")
    func shutdown() async throws {
        let client = HTTPClient()
        let finished = Collected<Bool>()
        defer { finished.append(true) }
        let server = ScriptedServer { (_: ScriptedConnection) in while finished.count == 0 { pause(milliseconds: 5) } }
        let stream = try await client.openStream(port: server.port, maximumQueuedBytes: 1 << 26).get()
        let outcomes = Collected<TransportFailure.Code?>()
        stream.onClose { outcomes.append($0?.code) }
        stream.write([UInt8](repeating: 1, count: 40_000_000)) { outcomes.append($0.code) }
        client.shutdown()
        #expect(outcomes.values == [.shutdown, .shutdown])
        #expect(await stream.write([1]).code == .shutdown)
    }
}
