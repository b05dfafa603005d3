import Addresses
import Glibc
import HTTPClient
import TestSupport
import Testing

@Suite struct DatagramTests {
    private func send(_ bytes: [UInt8], by socket: DatagramSocket) async -> Result<Void, TransportFailure> {
        await withCheckedContinuation { continuation in
            socket.send(bytes) { continuation.resume(returning: $0) }
        }
    }

    @Test("Datagrams arrive, by address and by name", arguments: ["127.0.0.1", "localhost"])
    func arrival(host: String) async throws {
        let receiver = DatagramReceiver()
        let only = AddressGuard(allow: [try #require(IPNetwork("127.0.0.1/32"))])
        let socket = DatagramSocket(host: host, port: receiver.port, addressGuard: only, client: client)
        for number in 0..<20 { try await send([UInt8(number)], by: socket).get() }
        #expect(await poll { receiver.messages.count == 20 })
        #expect(receiver.messages == (0..<20).map { [UInt8($0)] })
    }

    @Test(
        "The guard refuses what it refuses for connections",
        arguments: ["127.0.0.1", "localhost", "::1", "::ffff:127.0.0.1"])
    func refused(host: String) async throws {
        let receiver = DatagramReceiver()
        let strict = AddressGuardForTests.strict
        let socket = DatagramSocket(host: host, port: receiver.port, addressGuard: strict, client: client)
        #expect(await send([1], by: socket).code == .addressRefused)
        #expect(receiver.messages.isEmpty)
    }

    @Test("A datagram that is too large, a name without address and a closed socket are told apart")
    func failures() async throws {
        let receiver = DatagramReceiver()
        let socket = DatagramSocket(host: "127.0.0.1", port: receiver.port, addressGuard: nil, client: client)
        #expect(await send([UInt8](repeating: 1, count: 70_000), by: socket).code == .messageSize)
        try await send([1], by: socket).get()
        #expect(await poll { receiver.messages == [[1]] })
        socket.close()
        #expect(await send([1], by: socket).code == .shutdown)
        let portless = DatagramSocket(host: "127.0.0.1", port: 70_000, addressGuard: nil, client: client)
        #expect(await send([1], by: portless).code == .url)
        let nowhere = DatagramSocket(host: "receiver.invalid", port: 514, addressGuard: nil, client: client)
        #expect(await send([1], by: nowhere).code == .dns)
    }

    @Test("Where nothing listens, a refusal of one datagram fails a later one")
    func unheard() async throws {
        let port: Int
        do { port = DatagramReceiver().port }
        let socket = DatagramSocket(host: "127.0.0.1", port: port, addressGuard: nil, client: client)
        var codes: [TransportFailure.Code?] = []
        for _ in 0..<20 where !codes.contains(.connectRefused) {
            codes.append(await send([1], by: socket).code)
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(codes.contains(.connectRefused))
    }
}
