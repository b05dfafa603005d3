import Foundation
import Glibc
import TestSupport
import Testing

/// A started `gatehouse run`.
final class Service: Sendable {
    let process: ChildProcess

    init(_ process: ChildProcess) {
        self.process = process
    }

    deinit {
        let errors = process.errors
        if errors.lowercased().contains("kestrel") { Issue.record("a secret was logged: \(errors)") }
    }

    /// Log lines so far; a line that is not a JSON object is shown as its text.
    var log: [LogLine] { process.errors.split(separator: "\n").map { LogLine(String($0)) } }

    func waitUntilReady(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let isUp = await poll(deadline: patience) { ports != nil || process.current != nil }
        guard isUp, process.current == nil else {
            throw Failure("the service did not become ready (\(process.current as Any)): \(process.errors)")
        }
    }

    /// Where it listens; nil before it said so.
    var ports: (intake: Int, console: Int)? {
        guard let ready = log.last(where: { $0.event == "ready" }), let intake = ready.port("intake"),
            let console = ready.port("console")
        else { return nil }
        return (intake, console)
    }

    var intakePort: Int { ports?.intake ?? 0 }
    var consolePort: Int { ports?.console ?? 0 }

    func waitForLog(_ event: String, count: Int = 1, deadline: Duration = patience) async -> Bool {
        await poll(deadline: deadline) { log.count { $0.event == event } >= count }
    }

    /// SIGTERM, and how it ended.
    @discardableResult
    func stop(within deadline: Duration = patience) async -> ChildProcess.End? {
        process.signal(SIGTERM)
        return await process.wait(within: deadline)
    }

    /// SIGKILL, returning when the process is gone.
    func kill() async {
        process.signal(SIGKILL)
        _ = await process.wait(within: patience)
    }

    /// The most memory it ever had, in bytes.
    var peakMemory: Int { get throws { try status("VmHWM") << 10 } }
    var threadCount: Int { get throws { try status("Threads") } }

    /// A number of what the system says of the process.
    private func status(_ name: String) throws -> Int {
        let path = "/proc/\(process.pid)/status"
        let line = FileManager.default.contents(atPath: path).flatMap { contents in
            String(decoding: contents, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix(name + ":") }
        }
        guard let number = line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) }) else {
            throw Failure("\(path) has no \(name)")
        }
        return number
    }

    func post(
        _ path: String, _ body: String, headers: [(String, String)], sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Answer {
        let port = intakePort
        return try await blocking { try RawConnection(port: port).post(path, Array(body.utf8), headers: headers) }
    }

    /// Sends an event as its sender would.
    @discardableResult
    func post(_ event: SentEvent) async throws -> Answer {
        try await post(event.path, event.body, headers: event.headers)
    }

    func console(_ path: String) async throws -> Answer {
        let port = consolePort
        return try await blocking { try RawConnection(port: port).get(path) }
    }
}

struct LogLine: Sendable, CustomStringConvertible {
    private let text: String
    private let members: [String: String]

    init(_ text: String) {
        self.text = text
        members = (try? JSON.object(text))?.mapValues { "\($0)" } ?? [:]
    }

    var event: String? { members["event"] }
    var level: String? { members["level"] }
    var message: String { members["message"] ?? text }
    var description: String { text }

    func port(_ name: String) -> Int? { members[name].flatMap { $0.split(separator: ":").last }.flatMap { Int($0) } }
}
