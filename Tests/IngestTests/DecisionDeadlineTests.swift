import EventLog
import Events
import Foundation
import HTTPClient
import HTTPServer
import HTTPTypes
import Metrics
import Rules
import Synchronization
import Testing
import Vendors

@testable import Ingest

@Suite("The deadline of a waiting request")
struct DecisionDeadlineTests {
    private func fixture(_ asker: any DecisionAsker, deadline: Duration = .milliseconds(400)) throws -> IntakeFixture {
        try IntakeFixture(
            { source in
                guard source.vendor.waiting != nil else { return }
                source.mode = .decision
                source.deadline = deadline
            }, decisions: decisionPlan(decisionExample), asker: asker)
    }

    private static let failed = [
        "sine": #"200 {"code":"REJECTED","rejectionMessage":"Nobody knows"}"#,
        "envoy": #"412 {"message":"Nobody knows"}"#,
    ]

    @Test(
        "leaves time for what a decision says when an asked system does not answer", arguments: IntakeFixture.deciding)
    func silentSystem(_ vendor: String) throws {
        let kept = Mutex<[ScriptedAsker.Completion]>([])
        let fixture = try fixture(ScriptedAsker { completion in kept.withLock { $0.append(completion) } })
        #expect(shown(try fixture.ask(vendor, "Ask")) == Self.failed[vendor])
        #expect(fixture.waitUntil { fixture.log.records.count == 1 })
        #expect(try fixture.events().first?.text(.decisionReason) == "ask_failed asked: timeout")
    }

    @Test("answers even when every thread that decides hangs; what it answered is what was decided")
    func hangingThreads() throws {
        let gate = DispatchSemaphore(value: 0)
        let fixture = try fixture(
            ScriptedAsker { completion in
                gate.wait()
                completion(.success(Array(#"{"decision":"admit"}"#.utf8)))
            })
        let count = 12
        let answers = Mutex<[String]>([])
        for attempt in 0..<count {
            Thread.detachNewThread {
                let answer = shown(try? fixture.ask("envoy", "Ask", attempt: attempt))
                answers.withLock { $0.append(answer) }
            }
        }
        #expect(fixture.waitUntil { answers.withLock { $0.count } == count })
        let denied: Set = [#"412 {"message":"Please see the reception."}"#, Self.failed["envoy"]!]
        #expect(answers.withLock { Set($0) }.isSubset(of: denied), "\(answers.withLock { $0 })")
        for _ in 0..<count { gate.signal() }
        #expect(fixture.waitUntil { fixture.log.records.count == count })
        #expect(try fixture.events().allSatisfy { $0.text(.decisionOutcome) == "deny" })
        #expect(try fixture.events().contains { $0.text(.decisionReason) == "deadline" })
        #expect(fixture.metrics.render().contains("gatehouse_decisions_overdue_total{source=\"from-envoy\"}"))
    }

    @Test("leaves nothing to be done for those it answered: nobody is asked about them, and they were not let in")
    func blind() throws {
        let gate = DispatchSemaphore(value: 0)
        let asker = ScriptedAsker { completion in
            gate.wait()
            completion(.success(Array(#"{"decision":"admit"}"#.utf8)))
        }
        let fixture = try IntakeFixture(
            { source in
                guard source.vendor.waiting != nil else { return }
                source.mode = .decision
                source.deadline = .milliseconds(400)
            }, decisions: decisionPlan("decisions: [{name: all, ask: {target: access}}]\ndefault: admit\n"),
            asker: asker)
        let count = 12
        let answers = Mutex<[String]>([])
        for attempt in 0..<count {
            Thread.detachNewThread {
                let answer = shown(try? fixture.ask("sine", "Ask", attempt: attempt))
                answers.withLock { $0.append(answer) }
            }
        }
        #expect(fixture.waitUntil { answers.withLock { $0.count } == count })
        let (admitted, refused) = answers.withLock { answers in
            (answers.count { $0 == #"200 {"code":"SUCCESS"}"# }, answers.count { $0.hasPrefix("503 ") })
        }
        #expect(admitted + refused == count && refused > 0)
        for _ in 0..<count { gate.signal() }
        #expect(fixture.waitUntil { fixture.log.records.count == count })
        #expect(asker.asked.withLock { $0.count } == admitted)
        let outcomes = try fixture.events().map {
            "\($0.text(.decisionOutcome) ?? "") \($0.text(.decisionReason) ?? "")"
        }
        #expect(outcomes.count { $0 == "admit deadline" } == admitted)
        #expect(outcomes.count { $0 == "deny deadline" } == refused)
    }

    @Test(
        "holds for a body that does not arrive: Envoy's visitor stays out, and what may be a notification is not acknowledged",
        arguments: [("envoy", "HTTP/1.1 412 "), ("sine", "HTTP/1.1 503 ")])
    func slowBody(_ vendor: String, _ expected: String) throws {
        let fixture = try fixture(ScriptedAsker(answering: "{}"))
        let socket = try PlainSocket(port: fixture.server.port)
        let key = IntakeFixture.fixedHeaders(try #require(Vendors.named(vendor))).map { "\($0.name): \($0.value)\r\n" }
        socket.send("POST /in/from-\(vendor) HTTP/1.1\r\nHost: a\r\n\(key.joined())Content-Length: 100\r\n\r\n{")
        let answer = socket.receiveAll()
        #expect(answer.hasPrefix(expected), "\(answer)")
        #expect(fixture.log.records.isEmpty)
    }

    @Test(
        "is never above the sender's patience less a margin, whatever is configured", arguments: IntakeFixture.deciding)
    func bounds(_ name: String) throws {
        let vendor = try #require(Vendors.named(name))
        let limit = try #require(vendor.waiting?.limit)
        var source = SourceConfiguration(
            name: "s", vendor: vendor, authentication: SourceAuthentication(), maximumBody: 1,
            settings: DecodeSettings(source: "s"), mode: .decision)
        #expect(source.answerWithin == vendor.waiting?.deadline)
        source.deadline = .seconds(3)
        #expect(source.answerWithin == .seconds(3))
        source.deadline = .seconds(60)
        #expect(source.answerWithin == limit - SourceConfiguration.deadlineMargin)
        source.mode = .notify
        #expect(source.answerWithin == nil)
    }
}

/// A connection that sends what it is told, however little.
private final class PlainSocket {
    private let descriptor: Int32

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(status == 0)
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = unsafe bytes.withUnsafeBytes { unsafe Foundation.send(descriptor, $0.baseAddress, $0.count, 0) }
    }

    /// All that comes until the other side closes.
    func receiveAll() -> String {
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
            guard count > 0 else { return String(decoding: all, as: UTF8.self) }
            all += chunk[..<count]
        }
    }
}
