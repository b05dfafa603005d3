import Foundation
import TestSupport
import Testing

extension ProgramTests {
    @Suite("With its log in Kafka", .enabled(if: KafkaCluster.isAvailable)) struct KafkaStartTests {
        private static func installation(
            _ brokers: [String], prefix: String = KafkaCluster.newPrefix("start"), _ more: String = ""
        ) throws -> Installation {
            let list = brokers.map { "\"\($0)\"" }.joined(separator: ", ")
            return try Installation(
                top: "shutdown: 5s\nlog: {kafka: {brokers: [\(list)], prefix: \(prefix), partitions: 2\(more)}}",
                targets: Installation.archive, routes: Installation.everythingToArchive)
        }

        @Test("takes events in, delivers them, and tells of them, running and stopped")
        func eventsThrough() async throws {
            let cluster = try await KafkaCluster.shared()
            let installation = try Self.installation(cluster.servers)
            let service = try await installation.start()
            let sent = (0..<20).map { Sender.signinapp.event("through-\($0)") }
            for event in sent { #expect(try await service.post(event).status == 200) }
            #expect(try await service.post(sent[0]).status == 200, "a repeat is acknowledged as what it repeats")
            let hasArrived = try await eventually { try installation.archivedIDs.count == sent.count }
            #expect(hasArrived, "\(service.process.errors)")
            try await Self.expectSame(installation, count: sent.count)
            let readiness = try JSON.object(try await service.console("/readyz").text)
            #expect(readiness["ready"] as? Bool == true && readiness["warnings"] as? [String] == [])

            #expect(await service.stop() == .exited(0), "\(service.process.errors)")
            #expect(service.log.last?.event == "stopped")
            try await Self.expectSame(installation, count: sent.count)

            let again = try await installation.start()
            #expect(try await again.post(Sender.sine.event("once more")).status == 200)
            let hasMore = try await eventually { try installation.archivedIDs.count == sent.count + 1 }
            #expect(hasMore, "\(again.process.errors)")
            #expect(
                Set(try installation.archivedIDs).count == sent.count + 1, "nothing comes twice after an orderly stop")
            #expect(await again.stop() == .exited(0))
        }

        /// The commands tell of every event, once, delivered.
        private static func expectSame(_ installation: Installation, count: Int) async throws {
            let ids = Set(try installation.archivedIDs)
            #expect(ids.count == count)
            #expect(Set(try await installation.events().compactMap { $0["id"] as? String }) == ids)
            let isTold = try await eventually {
                let states = try await installation.deliveries("--limit", "1000").compactMap { $0["state"] as? String }
                return states.count == count && Set(states) == ["delivered"]
            }
            #expect(isTold)
            #expect(try await installation.count("delivered", at: "archive") == count)
            #expect(try await installation.count("pending", at: "archive") == 0)
            let trace = try await installation.gatehouse("trace", try #require(ids.first))
            #expect(trace.status == 0 && trace.output.contains("archive"), "\(trace)")
        }

        @Test("acknowledges what Kafka does not take, and ends with 75 when it must leave it on its disk")
        func spool() async throws {
            let cluster = try await KafkaCluster.shared()
            let installation = try Self.installation(cluster.servers)
            let service = try await installation.start()
            #expect(try await service.post(Sender.signinapp.event("before")).status == 200)
            // What is delivered and not kept yet would come once more.
            let isKept = try await eventually { try await installation.count("delivered", at: "archive") == 1 }
            #expect(isKept, "\(service.process.errors)")
            try await cluster.kill(1)
            for number in 0..<3 {
                #expect(try await service.post(Sender.signinapp.event("meanwhile-\(number)")).status == 200)
            }
            let warns = try await eventually {
                let text = try await service.console("/readyz").text
                let readiness = try JSON.object(text)
                let warnings = readiness["warnings"] as? [String] ?? []
                return readiness["ready"] as? Bool == true && warnings.contains { $0.contains("3 acknowledged events") }
            }
            let told = try await service.console("/readyz").text
            #expect(warns, "\(told)")
            let metrics = try await service.console("/metrics").text
            #expect(metrics.contains("gatehouse_spool_events 3\n"))
            #expect(await service.stop() == .exited(75), "\(service.process.errors)")
            let last = try #require(service.log.last { $0.event == "stopped_with_spool" })
            #expect(last.level == "error" && last.message.contains("3 acknowledged events"))
            #expect(service.process.errors.contains("gatehouse run: 3 acknowledged events wait in the spool"))

            try await cluster.startAgain()
            let again = try await installation.start()
            let isThere = try await eventually { try installation.archivedIDs.count == 4 }
            #expect(isThere, "\(again.process.errors)")
            #expect(await again.stop() == .exited(0))
            #expect(try await installation.count("delivered", at: "archive") == 4)
        }

        @Test("takes events in while no broker answers since its start, and delivers them when one does")
        func startsWithoutKafka() async throws {
            let cluster = try await KafkaCluster.shared()
            try await cluster.kill(1)
            let installation = try Self.installation(cluster.servers)
            let service = try await installation.start()
            for number in 0..<3 {
                #expect(try await service.post(Sender.signinapp.event("early-\(number)")).status == 200)
            }
            let readiness = try JSON.object(try await service.console("/readyz").text)
            let warnings = readiness["warnings"] as? [String] ?? []
            #expect(readiness["ready"] as? Bool == true)
            #expect(warnings.contains { $0.contains("Kafka cannot be used yet") }, "\(warnings)")
            #expect(service.log.contains { $0.event == "kafka_unreachable" && $0.level == "warning" })
            try await cluster.startAgain()
            let isThere = try await eventually { try installation.archivedIDs.count == 3 }
            #expect(isThere, "\(service.process.errors)")
            #expect(service.log.contains { $0.event == "kafka_reachable" })
            #expect(await service.stop() == .exited(0))
            #expect(try await installation.count("delivered", at: "archive") == 3)
        }

        @Test("is refused where no broker answers and nothing may wait, naming the brokers and no secret")
        func unreachable() async throws {
            let port = try freePort()
            let installation = try Self.installation(
                ["127.0.0.1:\(port)"], ", spool: off, properties: {sasl.password: kestrel-of-kafka}")
            let outcome = try await installation.gatehouse("run")
            #expect(outcome.status == 1, "\(outcome)")
            #expect(outcome.errors.contains("127.0.0.1:\(port)"), "\(outcome)")
            #expect(!outcome.errors.contains("kestrel-of-kafka"))
        }

        @Test("is refused where topics do not fit, saying what is wrong with them")
        func unfit() async throws {
            let cluster = try await KafkaCluster.shared()
            let prefix = KafkaCluster.newPrefix("start")
            let first = try Self.installation(cluster.servers, prefix: prefix)
            let service = try await first.start()
            #expect(await service.stop() == .exited(0))
            let second = try Self.installation(cluster.servers, prefix: prefix)
            try second.write(
                "gatehouse.yaml", second.read("gatehouse.yaml").replacing("partitions: 2", with: "partitions: 3"))
            let outcome = try await second.gatehouse("run")
            #expect(outcome.status == 1, "\(outcome)")
            #expect(outcome.errors.contains("has 2 partitions, and 3 are wanted"), "\(outcome)")
        }

        @Test("needs an administrator where it may not create topics; his commands are printed")
        func topicsOfAnAdministrator() async throws {
            let cluster = try await KafkaCluster.shared()
            let installation = try Self.installation(cluster.servers, prefix: "lobby", ", create_topics: false")
            let refused = try await installation.gatehouse("run")
            #expect(refused.status == 1, "\(refused)")
            #expect(refused.errors.contains("gatehouse kafka topics"), "\(refused)")
            let printed = try await installation.gatehouse("kafka", "topics")
            #expect(printed.status == 0, "\(printed)")
            for topic in ["lobby.visitor.signin", "lobby.retry.archive", "lobby.dead.archive", "lobby.cursors"] {
                #expect(
                    printed.lines.contains { $0.contains("--create --if-not-exists --topic \(topic) ") }, "\(topic)")
            }
            #expect(
                printed.lines.allSatisfy { $0.hasPrefix("kafka-topics.sh --bootstrap-server \(cluster.servers[0]) ") })
        }

        @Test("commands that need topics say so where there are none")
        func noTopics() async throws {
            let embedded = try Installation(targets: Installation.archive, routes: Installation.everythingToArchive)
            let outcome = try await embedded.gatehouse("kafka", "topics")
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("keeps its log in the data folder"), "\(outcome)")
            #expect(try await embedded.gatehouse("kafka").status == 2)
            #expect(try await embedded.gatehouse("kafka", "topic").status == 2)
            #expect(try await embedded.gatehouse("kafka", "dead-letters", "list").status == 1)
            #expect(try await embedded.gatehouse("kafka", "dead-letters").status == 2)
        }

        @Test("dead letters of the spool are asked about without a broker: there are none; and which ones must be said")
        func spoolDeadLetters() async throws {
            let installation = try Self.installation(["127.0.0.1:\(try freePort())"])
            let list = try await installation.gatehouse("kafka", "dead-letters", "list")
            #expect(list.status == 0 && list.lines.count == 1 && list.output.hasPrefix("ID "), "\(list)")
            #expect(try await installation.gatehouse("kafka", "dead-letters", "list", "--json").output.isEmpty)
            let discarded = try await installation.gatehouse("kafka", "dead-letters", "discard", "--all")
            #expect(discarded.status == 0 && discarded.output == "0 discarded\n", "\(discarded)")
            #expect(try await installation.gatehouse("kafka", "dead-letters", "requeue", "1").status == 1)
            for words in [
                ["requeue"], ["requeue", "x"], ["requeue", "1", "--all"], ["list", "1"], ["discard", "1", "2"],
            ] {
                let outcome = try await installation.gatehouse(words: ["kafka", "dead-letters"] + words)
                #expect(outcome.status == 2, "\(words): \(outcome)")
            }
        }

        @Test("shows the whole way of an event, in topics that are gone afterwards")
        func demonstration() async throws {
            let cluster = try await KafkaCluster.shared()
            let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent()
            let example = root.appending(path: "deploy/gatehouse.yaml").path
            let installation = try Installation("")
            let outcome = try await installation.gatehouse(
                "demo", "-c", example, "--pause", "0", "--brokers", cluster.servers.joined(separator: ","))
            #expect(outcome.status == 0, "\(outcome)")
            #expect(outcome.output.contains("balanced: sent = accepted = delivered + filtered"), "\(outcome)")
            let topics = try run("/usr/bin/env", ["kcat", "-b", cluster.servers[0], "-L"]).output
            #expect(!topics.contains("gatehouse-demo-"), "\(topics)")
        }
    }
}
