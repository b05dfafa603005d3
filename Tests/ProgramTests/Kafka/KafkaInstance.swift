import Foundation
import Synchronization
import TestSupport
import Testing

/// One of several instances that share a log in Kafka: with a folder, ports and a spool of its own, and the configuration
/// all of them have.
final class KafkaInstance: Sendable {
    let name: String
    let installation: Installation
    private let running = Mutex<Service?>(nil)

    /// - Parameters:
    ///   - name: what it is called in Kafka; `${env:INSTANCE}` stands for it in the configuration.
    ///   - log: further keys below `log: kafka:`, such as `, spool: off`.
    ///   - targets: the lines under `targets:`, indented by two.
    ///   - routes: the lines under `routes:` of the route file, indented by two.
    ///   - environment: beside the secrets.
    init(
        _ name: String, _ cluster: KafkaCluster, prefix: String, log: String = "", top: String = "", targets: String,
        routes: String, environment: [String: String] = [:]
    ) throws {
        self.name = name
        let brokers = cluster.servers.map { "\"\($0)\"" }.joined(separator: ", ")
        let kafka = "log: {kafka: {brokers: [\(brokers)], prefix: \(prefix), instance: \"${env:INSTANCE}\"\(log)}}"
        installation = try Installation(
            top: "\(kafka)\n\(top)", targets: targets, routes: routes,
            environment: environment.merging(["INSTANCE": name]) { $1 })
    }

    /// Nil while it does not run.
    var service: Service? { running.withLock { $0 } }
    var port: Int? { service?.intakePort }

    @discardableResult
    func start() async throws -> Service {
        let service = try await installation.start()
        running.withLock { $0 = service }
        return service
    }

    /// In good order: SIGTERM.
    func stop() async -> ChildProcess.End? {
        let service = running.withLock { service in
            defer { service = nil }
            return service
        }
        return await service?.stop()
    }

    /// A crash: SIGKILL.
    func kill() async {
        let service = running.withLock { service in
            defer { service = nil }
            return service
        }
        await service?.kill()
    }

    /// Events that wait for Kafka on this machine's disk.
    func spooled() async throws -> Double {
        guard let service else { return 0 }
        return try MetricsPage(try await service.console("/metrics").text).value("gatehouse_spool_events") ?? 0
    }
}
