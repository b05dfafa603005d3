// Messages a second over one TLS connection, rendering included, to a receiver that reads and drops them in this process;
// and beside it, what a loop does that hands one ready message after the other to OpenSSL.
//
// usage: gatehouse-syslog [EVENTS [FORMAT]]

import CCurl
import Events
import Glibc
import HTTPClient
import JSON
import Logging
import Synchronization
import Targets
import TestSupport
import YAML

private let count = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 500_000
private let format = CommandLine.arguments.dropFirst(2).first ?? "json"

private let sample = """
    {"specversion":"1.0","id":"0123456789abcdef0123456789abcdef","type":"visitor.signin","source":"london",\
    "time":"2020-01-01T12:00:01.000Z","data":{"visitor":{"name":"Robin Berg","email":"robin@visitor.example"},\
    "site":{"id":"4567","name":"London"},"host":{"name":"Kim Lund","email":"kim@host.example"}}}
    """

/// What is on its way at once: as many as a target's `concurrency:` may be.
private final class Sending: Sendable {
    private let inFlight = Mutex(0)
    private let finished = Atomic(0)
    private let failed = Atomic(0)

    func send(_ count: Int, _ event: OutgoingEvent, to target: any Target) -> Int {
        for _ in 0..<count {
            while inFlight.withLock({ $0 >= 1024 }) { usleep(200) }
            inFlight.withLock { $0 += 1 }
            target.send(event) { [self] outcome in
                if case .failed = outcome { failed.add(1, ordering: .relaxed) }
                inFlight.withLock { $0 -= 1 }
                finished.add(1, ordering: .releasing)
            }
        }
        while finished.load(ordering: .acquiring) < count { usleep(200) }
        return failed.load(ordering: .relaxed)
    }
}

private func makeTarget(_ port: Int, _ authority: LocalAuthority) throws -> any Target {
    var diagnostics = Diagnostics()
    let text = """
        {type: syslog, address: "tls://127.0.0.1:\(port)", allow: 127.0.0.1/32, format: \(format), concurrency: 1024,
         tls: {ca: \(authority.caFile)}}
        """
    guard let node = try parseYAML(Array(text.utf8), file: "bench.yaml"),
        let blueprint = TargetTypes.decode(name: "siem", node: node, &diagnostics)
    else { throw TargetError("the target cannot be read: \(diagnostics.sorted.map(\.description))") }
    let context = TargetContext(client: HTTPClient(), hostname: "bench", logger: Logger(minimum: .error) { _ in })
    return try blueprint.make(context)
}

/// Hands the same message to OpenSSL again and again, over a connection of its own.
/// - Returns: messages a second.
private func writePlainly(_ message: [UInt8], _ count: Int, to port: Int) throws -> Double {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
    let isConnected = unsafe withUnsafePointer(to: &address) { address in
        unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
    guard isConnected, let context = unsafe SSL_CTX_new(TLS_client_method()), let tls = unsafe SSL_new(context) else {
        throw TargetError("no connection for the comparison")
    }
    defer {
        unsafe SSL_free(tls)
        unsafe SSL_CTX_free(context)
    }
    guard unsafe SSL_set_fd(tls, descriptor) == 1, unsafe SSL_connect(tls) == 1 else {
        throw TargetError("no TLS for the comparison")
    }
    let started = ContinuousClock.now
    for _ in 0..<count {
        guard unsafe SSL_write(tls, message, Int32(message.count)) == Int32(message.count) else {
            throw TargetError("the comparison's connection broke")
        }
    }
    return Double(count) / ((ContinuousClock.now - started) / .seconds(1))
}

private func main() throws {
    let authority = try LocalAuthority()
    let server = ScriptedServer(tls: ServerTLS(try authority.issue()), script: { $0.waitForClose() })
    guard let view = try EventView(parsing: Array(sample.utf8), with: JSONParser()) else {
        throw TargetError("the sample cannot be read")
    }
    let event = OutgoingEvent(event: view, routes: ["all"])
    let target = try makeTarget(server.port, authority)
    _ = Sending().send(1000, event, to: target)
    let started = ContinuousClock.now
    let failed = Sending().send(count, event, to: target)
    let seconds = Double((ContinuousClock.now - started) / .milliseconds(1)) / 1000
    target.close()
    let options = RenderingOptions(
        policy: ContentPolicy(includesOriginal: false, includesBiometrics: false), hostname: "bench", limit: 8000)
    guard let known = Formats.named(format) else { throw TargetError("there is no format \(format)") }
    let plain = try writePlainly(try known.render(event, options), count, to: server.port)
    let perSecond = Double(count) / seconds
    print(
        "{\"syslog_tls_per_second\": \(Int(perSecond)), \"plain_tls_per_second\": \(Int(plain)), "
            + "\"format\": \"\(format)\", \"failed\": \(failed)}")
}

try main()
