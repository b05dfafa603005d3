import Foundation
import TestSupport
import Testing

/// What starts the program and takes its time: one after the other.
@Suite("Running the pages", .serialized) struct RunningTests {
    @Test("the README's tour goes as it says, from start to end")
    func tour() async throws {
        let page = try Page("README.md")
        let shell = try Shell()
        var ports: [(written: String, real: String)] = []
        let blocks = page.blocks.filter { $0.value("file") != nil || $0.has("run") || $0.has("output") }
        for (index, block) in blocks.enumerated() {
            if let file = block.value("file") {
                // The kernel chooses free ports for the test.
                let text = block.text.replacing("127.0.0.1:8080", with: "127.0.0.1:0")
                    .replacing("127.0.0.1:8081", with: "127.0.0.1:0")
                try shell.write(file, text)
            } else if block.has("background") {
                try shell.begin(block.text.trimmingCharacters(in: .newlines), as: "service")
                ports = try await Self.ports(shell, "service")
            } else if block.has("run") {
                let script = ports.reduce(block.text) { $0.replacing($1.written, with: $1.real) }
                let isNext = index + 1 < blocks.count && blocks[index + 1].has("output")
                let expected = isNext ? Self.comparable(blocks[index + 1].text) : nil
                let status = block.value("exit").flatMap { Int32($0) } ?? 0
                try await Self.run(script, shell, status, expected, "README.md:\(block.line)")
            }
        }
        #expect(blocks.count > 15)
        #expect(await shell.stop("service") == 0)
    }

    /// Commands that only look are asked again until what they tell is as written: deliveries take a moment.
    private static func run(
        _ script: String, _ shell: Shell, _ status: Int32, _ expected: [String]?, _ place: String
    ) async throws {
        let looks = ["events", "deliveries", "refusals", "reconcile", "targets"]
        let onlyLooks = CommandLines.commands(script).allSatisfy {
            $0[0] == "grep" || ($0.count > 1 && looks.contains($0[1]))
        }
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            let (found, output) = try shell.run(script)
            let isAsWritten = found == status && (expected == nil || comparable(output) == expected)
            if isAsWritten || !onlyLooks || ContinuousClock.now > deadline {
                #expect(found == status, "\(place): \(output)")
                if let expected { #expect(comparable(output) == expected, "\(place)") }
                return
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Lines without what is different in every run: times, ids, sizes, and how wide columns are.
    private static func comparable(_ text: String) -> [String] {
        text.split(separator: "\n").map { line in
            String(line)
                .replacing(/\d{4}-\d\d-\d\dT[\d:.]+Z/, with: "TIME")
                .replacing(/\b[0-9a-f]{32}\b/, with: "ID")
                .replacing(/visitor\/\d+/, with: "visitor/N")
                .replacing(/(signature_mismatch +)\d+/, with: { $0.1 + "SIZE" })
                .replacing(/\s+/, with: " ")
                .trimmingCharacters(in: .whitespaces)
        }.filter { !$0.isEmpty }
    }

    /// What 127.0.0.1:8080 and :8081 are here, once the service is ready.
    static func ports(_ shell: Shell, _ name: String) async throws -> [(written: String, real: String)] {
        let isReady = await poll(deadline: .seconds(60)) { shell.output(of: name).contains("console=http://") }
        let log = shell.output(of: name)
        try #require(isReady, "the service did not become ready: \(log)")
        let ready = try #require(log.firstMatch(of: /intake=http:\/\/(\S+) console=http:\/\/(\S+)/))
        return [("127.0.0.1:8080", String(ready.1)), ("127.0.0.1:8081", String(ready.2))]
    }
}
