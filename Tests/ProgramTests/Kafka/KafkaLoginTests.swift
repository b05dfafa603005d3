import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Debian's librdkafka cannot log in to Kafka 4 by SCRAM: the program is started with a newer one in its place.
    @Suite(
        "Brokers with TLS and SCRAM",
        .enabled(if: KafkaCluster.isAvailable && PythonEnvironment.isAvailable))
    struct KafkaLoginTests {
        @Test("let the program in by name and password: it publishes and consumes, and prints no password")
        func scram() async throws {
            let library = try NewerKafkaLibrary()
            defer { withExtendedLifetime(library) {} }
            let cluster = try await blocking { try KafkaCluster.start(security: .tlsAndSASL) }
            let security = try #require(cluster.security)
            var properties = security.properties(.scram)
            let password = try #require(properties["sasl.password"])
            properties["sasl.password"] = "${env:KAFKA_PASSWORD}"
            let written = properties.sorted { $0.key < $1.key }.map { "\($0): \"\($1)\"" }.joined(separator: ", ")
            let instance = try KafkaInstance(
                "one", cluster, prefix: "login", log: ", spool: off, partitions: 2, properties: {\(written)}",
                targets: Installation.archive, routes: Installation.everythingToArchive,
                environment: library.environment.merging(["KAFKA_PASSWORD": password]) { $1 })
            let installation = instance.installation
            let service = try await instance.start()
            #expect(try NewerKafkaLibrary.isLoaded(by: service.process.pid))
            let sent = (0..<6).map { Sender.signinapp.event("login-\($0)") }
            for event in sent { #expect(try await service.post(event).status == 200) }
            let ids = Set(sent.map { $0.events[0].id })
            #expect(try await eventually { Set(try installation.archivedIDs) == ids }, "\(service.process.errors)")
            #expect(try await eventually { try await installation.count("delivered", at: "archive") == ids.count })
            #expect(await instance.stop() == .exited(0), "\(service.process.errors)")

            // A stopped instance's commands log in too, and so does a consumer that is not ours.
            #expect(Set(try await installation.events().compactMap { $0["id"] as? String }) == ids)
            let read = try await blocking {
                try consumeTopics("^login\\.visitor\\.", cluster.servers, properties: security.properties(.scram))
            }
            #expect(Set(read.values.joined().compactMap { $0.headers["ce_id"] }) == ids)
            let printed = installation.everythingPrinted
            #expect(!printed.contains(password))

            let refused = try await installation.gatehouse(
                "run", environment: installation.environment.merging(["KAFKA_PASSWORD": "kestrel-of-nobody"]) { $1 })
            #expect(refused.status == 1, "\(refused)")
            #expect(refused.errors.contains("does not take the credentials"), "\(refused)")
            #expect(!refused.errors.contains("kestrel"))
        }
    }
}
