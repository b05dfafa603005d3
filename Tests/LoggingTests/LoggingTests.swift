import Foundation
import Logging
import Synchronization
import Testing

@Suite("A log line")
struct LoggingTests {
    private func lines(_ minimum: LogLevel = .info, _ body: (Logger) -> Void) -> [LogLine] {
        let collected = Collected()
        body(Logger(minimum: minimum) { collected.add($0) })
        return collected.all
    }

    private final class Collected: Sendable {
        private let lines = Mutex<[LogLine]>([])
        var all: [LogLine] { lines.withLock { $0 } }
        func add(_ line: LogLine) { lines.withLock { $0.append(line) } }
    }

    @Test("is one JSON object whatever it quotes")
    func json() throws {
        let nasty = "a\"b\\c\nd\u{1b}[31m\u{85}é😀\u{0}"
        let line = try #require(
            lines { $0.warning("some_event", nasty, ["k": .init(nasty), "n": 3, "b": true]) }.first)
        #expect(!line.json.contains("\n") && !line.json.contains("\u{1b}"))
        let object = try JSONSerialization.jsonObject(with: Data(line.json.utf8)) as? [String: Any]
        #expect(object?["message"] as? String == nasty)
        #expect(object?["k"] as? String == nasty)
        #expect(object?["n"] as? Int == 3)
        #expect(object?["level"] as? String == "warning")
        #expect((object?["time"] as? String)?.count == 24)
    }

    @Test("for people has no control characters either")
    func text() throws {
        let line = try #require(lines { $0.error("e", "one\ntwo\u{1b}[0m", ["path": "a b"]) }.first)
        #expect(line.text.hasSuffix(#"ERROR one two [0m path="a b""#))
    }

    @Test("below the minimum is not written")
    func minimum() {
        #expect(lines(.warning) { $0.info("e", "m") }.isEmpty)
        #expect(lines(.debug) { $0.debug("e", "m") }.count == 1)
    }
}
