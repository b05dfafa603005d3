import Configuration
import Foundation
import Targets
import TestSupport
import Testing

@Suite("The page of Kafka") struct KafkaPageTests {
    @Test("names properties that are refused, and they are")
    func properties() throws {
        let text = try Project.text("docs/kafka.md")
        let line = try #require(text.split(separator: "\n").first { $0.contains("cannot be set: `") })
        let named = String(line).codes.filter { $0 != "check" }
        #expect(named.count > 3)
        let refused = ConfiguredProperties.refused(by: .log)
        for name in named { #expect(refused.contains(name), "\(name)") }
    }
}

extension RunningTests {
    private static let isKafkaThere = KafkaCluster.isAvailable && Tool.isThere("kcat")

    @Test(
        "the commands of Kafka's page show what an instance publishes, and its metrics are those of the page",
        .enabled(if: isKafkaThere))
    func kafkaPage() async throws {
        let cluster = try KafkaCluster.common()
        let shell = try Shell()
        try shell.write(
            "gatehouse.yaml",
            """
            listen: 127.0.0.1:0
            console: 127.0.0.1:0
            log: {kafka: {brokers: "\(cluster.servers[0])", partitions: 2}}
            sources: {london: {vendor: signinapp, secrets: test, expect_every: 1h}}
            targets:
              archive: {type: file, path: ./archive.ndjson}
              nobody: {type: http, url: "http://127.0.0.1:1/", allow: 127.0.0.1/32}
            teams: {guards: {files: ./guards.yaml, scope: {}, targets: archive}}
            routes: ./routes.yaml

            """)
        try shell.write("routes.yaml", "routes:\n  - {name: all, to: [archive, nobody]}\n")
        try shell.write("guards.yaml", "routes: []\n")
        try shell.begin("gatehouse run --log-format text", as: "service")
        let ports = try await Self.ports(shell, "service")
        let (intake, console) = (ports[0].real, ports[1].real)
        let sent = try shell.run("gatehouse send --source london --event visitor.signin http://\(intake)")
        #expect(sent.status == 0, "\(sent.output)")
        #expect(await poll(deadline: .seconds(60)) { shell.read("archive.ndjson").contains("visitor.signin") })

        let blocks = try Page("docs/kafka.md").blocks.filter { $0.has("kafka") }
        var shown = ""
        for block in blocks {
            let (status, output) = try shell.run(
                "set -eo pipefail\n" + block.text.replacing("kafka-1:9092", with: cluster.servers[0]))
            #expect(status == 0, "docs/kafka.md:\(block.line): \(output)")
            shown += output
        }
        #expect(blocks.count > 1)
        let expected = [
            #"topic "gatehouse.visitor.signin" with 2 partitions"#, "key 4567/", "ce_specversion=1.0",
            "ce_type=visitor.signin", "content-type=application/json", #""source":"london""#,
        ]
        for text in expected { #expect(shown.contains(text), "\(text): \(shown)") }

        try await checkConsumer(shell, brokers: cluster.servers[0])
        try await checkKafkaMetrics(shell, console)
        try checkKafkaFiles(shell)
        #expect(await shell.stop("service") == 0)
    }

    /// The page's own consumer prints the event that was sent.
    private func checkConsumer(_ shell: Shell, brokers: String) async throws {
        guard PythonEnvironment.isAvailable else { return }
        let block = try #require(try Page("docs/kafka.md").blocks.first { $0.language == "python" })
        try shell.write("consumer.py", block.text.replacing("kafka-1:9092", with: brokers))
        try shell.begin("\(PythonEnvironment.program("python")) -u consumer.py", as: "consumer")
        let isPrinted = await poll(deadline: .seconds(60)) {
            shell.output(of: "consumer").contains(/visitor\.signin \d{4}-\d\d-\d\dT\S+ 4567\/\S+ london/)
        }
        #expect(isPrinted, "docs/kafka.md:\(block.line): \(shell.output(of: "consumer"))")
        _ = await shell.stop("consumer")
    }

    /// What the page lists beside the metrics of every log.
    private func checkKafkaMetrics(_ shell: Shell, _ console: String) async throws {
        let page = try Page("docs/operations.md")
        let own = try page.table("With a log in Kafka", "metric", "type", "labels").rows
        let shared = try page.table("Metrics", "metric").rows.map { $0[0].code }
        let names = Set(own.map { $0[0].code })
        var text = ""
        // The client tells of itself every few seconds.
        for _ in 0..<600 {
            text = try shell.run("curl -s http://\(console)/metrics").output
            if names.allSatisfy({ text.contains("# TYPE \($0) ") && text.contains("\n\($0)") }) { break }
            try await Task.sleep(for: .milliseconds(100))
        }
        var types: [String: String] = [:]
        for match in text.matches(of: /(?m)^# TYPE (\S+) (\S+)$/) { types[String(match.1)] = String(match.2) }
        for row in own {
            let name = row[0].code
            #expect(types.removeValue(forKey: name) == row[1], "\(name)")
            let sample = try #require(
                text.split(separator: "\n").first { $0.hasPrefix(name + " ") || $0.hasPrefix(name + "{") },
                "no sample of \(name)")
            #expect(sample.matches(of: /(\w+)="/).map { String($0.1) }.sorted() == row[2].codes.sorted(), "\(sample)")
        }
        #expect(Set(types.keys).isSubset(of: shared), "\(Set(types.keys).subtracting(shared))")
    }

    private func checkKafkaFiles(_ shell: Shell) throws {
        let table = try Page("docs/operations.md").table("The data folder", "file")
        let files = try FileManager.default.contentsOfDirectory(atPath: shell.path("data"))
        for file in files { #expect(table.rows.contains { $0[0].codes.contains(file) }, "\(file)") }
        let modes = try shell.run("stat -c '%A %n' data data/* data/*/*").output.split(separator: "\n")
        #expect(modes.contains { $0.hasSuffix("data/kafka/instance") } && modes.contains { $0.hasSuffix("data/spool") })
        for mode in modes {
            let isPrivate = ["drwx------ ", "-rw-------", "srw-------"].contains { mode.hasPrefix($0) }
            #expect(isPrivate, "\(mode)")
        }
    }
}
