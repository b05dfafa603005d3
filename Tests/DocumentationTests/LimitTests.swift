import Configuration
import Foundation
import HTTPServer
import Targets
import TestSupport
import Testing
import YAML

@testable import Delivery
@testable import EventLog
@testable import Ingest
@testable import Rules

@Suite("The limits and defaults of the pages") struct LimitTests {
    @Test("the defaults of the configuration are those of its tables")
    func defaults() throws {
        let folder = TemporaryDirectory()
        let file = try folder.write("gatehouse.yaml", "sources: {}\n")
        let (loaded, diagnostics) = ConfigurationLoader(purpose: .running).load(file)
        let configuration = try #require(loaded, "\(diagnostics)")
        let retention = configuration.retention
        let kafka = KafkaLogSettings()
        let expected: [String: [String: String]] = [
            "Top level": [
                "listen": "\(configuration.listen.address)", "console": "\(configuration.console)",
                "data": "./data", "dedupe": Text.duration(configuration.dedupe),
                "shutdown": Text.duration(configuration.shutdown), "log": "embedded",
            ],
            "listen": ["connections": "\(configuration.listen.connections)"],
            "console": [
                "listen": "\(configuration.console)", "open": "\(configuration.consoleSettings.isOpen)",
            ],
            "retention": [
                "age": Text.duration(retention.age), "size": Text.size(retention.size),
                "dead_letters": Text.duration(retention.deadLetters), "history": Text.duration(retention.history),
            ],
            "kafka": [
                "prefix": kafka.prefix, "partitions": "\(kafka.partitions)", "replication": "the brokers'",
                "create_topics": "\(kafka.createsTopics)", "spool": kafka.spoolBytes == nil ? "off" : "on",
                "format": kafka.isStructured ? "structured" : "binary",
            ],
        ]
        #expect(Text.size(KafkaLogSettings.defaultSpoolBytes) == "4GiB")
        #expect(configuration.dataFolder == folder.file("data"))
        let page = try Page("docs/configuration.md")
        for (heading, defaults) in expected {
            for row in try page.table(heading, "key", "default").rows {
                #expect(row[1].code == defaults[row[0].code] ?? "", "\(heading): \(row[0])")
            }
        }
    }

    @Test("the limits of the page are those of the code")
    func limits() throws {
        let rows = try Page("docs/security.md").table("Limits", "what", "limit").rows
        let server = HTTPServerConfiguration(listen: .tcp(host: "127.0.0.1", port: 0))
        let policy = TargetPolicy()
        let log = EventLogOptions()
        func seconds(_ duration: Duration) -> String { "\(duration.components.seconds) s" }
        func size(_ bytes: Int) -> String {
            let text = Text.size(bytes)
            return "\(text.dropLast(3)) \(text.suffix(3))"
        }
        func grouped(_ number: Int) -> String {
            number < 10_000
                ? "\(number)"
                : "\(number)".reversed().enumerated().reduce("") {
                    String($1.element) + ($1.offset > 0 && $1.offset % 3 == 0 ? " " : "") + $0
                }
        }
        let expected = [
            "connections of a listener": grouped(server.connections),
            "header section, request line included": size(server.maxHeaderBytes),
            "header fields": "\(server.maxHeaderCount)",
            "time for the header section": seconds(server.headerDeadline),
            "time for the body": seconds(server.bodyDeadline),
            "time for the client to read the answer": seconds(server.replyDeadline),
            "idle connection": seconds(server.idleTimeout),
            "batch in memory before it goes to the data folder": size(SpooledBody.memoryLimit),
            "elements of a batch": grouped(BatchWorker.maximumElements),
            "events waiting to be written": "\(grouped(log.queuedRecords)), or \(size(log.queuedBytes))",
            "ledger of refusals": "the newest \(grouped(DeliveryStore.maximumRefusals))",
            "failed events of a target that wait while others go on": grouped(policy.maximumOpen),
            "outcomes waiting for the state file":
                "\(grouped(policy.maximumUncommitted)), or \(size(policy.maximumUncommittedBytes))",
            "receiver's answer that is kept with a dead letter": "\(DeliveryFailure.maximumResponse) bytes",
            "YAML file":
                "\(size(maximumYAMLBytes)), \(maximumYAMLDepth) deep, \(grouped(maximumYAMLNodes)) keys and values",
            "routes": grouped(RuleLoader.mostRoutes),
            "memory of all routes, and of all decisions": size(RulePlan.memoryLimit),
            "file of a list": size(ListReader.mostBytes),
            "entries of a list": "\(grouped(TextList.mostEntries)), \(size(TextList.mostBytes))",
            "decisions of one file": grouped(OwnerReader.mostDecisions),
            "text of a decision, as written and as shown": "\(DecisionText.longest) bytes",
            "`timeout:` of `ask:`": seconds(DecisionReader.longestTimeout),
            "answer of an asked system": size(AskedAnswer.largest),
            "requests waiting to be decided": grouped(DecisionDesk.capacity),
            "decisions that are not kept yet": grouped(DecisionLedger.capacity),
            "decisions waiting to be written": "\(AppendQueue.urgentRecords), or \(size(log.queuedBytes / 8))",
            "answers remembered for identical requests":
                "\(RecordedAnswers<Int>.capacity), for \(seconds(RecordedAnswers<Int>.window))",
            "identical requests that wait for one answer": "\(RecordedAnswers<Int>.mostWaiting)",
            "installations remembered of senders' apps": grouped(InstallationStore.most),
        ]
        for (what, limit) in expected {
            let row = try #require(rows.first { $0[0] == what }, "there is no row of \(what)")
            #expect(row[1].hasPrefix(limit), "\(what): \(limit), not \(row[1])")
        }
    }
}
