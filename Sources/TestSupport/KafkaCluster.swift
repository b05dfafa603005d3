import Foundation
import Glibc
import Synchronization

/// A real Kafka cluster on this machine, in a temporary folder of its own. It stops when the value goes, and when the
/// process ends in whatever way.
package final class KafkaCluster: Sendable {
    package struct Unavailable: Error, CustomStringConvertible {
        package let description: String
    }

    package enum Security: Sendable {
        case none
        /// TLS by a `LocalAuthority`, and SASL with the users of `KafkaSecurity`.
        case tlsAndSASL
    }

    /// `host:port` of each broker.
    package let servers: [String]
    /// How a client gets in; nil where anybody may.
    package let security: KafkaSecurity?
    private let folder: TemporaryDirectory
    private let hasStopped = Atomic(false)
    private let watch: pid_t

    /// The program that starts and stops brokers; see its own help. CI names it, so that there its absence is a failure.
    private static let program =
        ProcessInfo.processInfo.environment["GATEHOUSE_TEST_KAFKA"]
        ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "../../../shared/kafka/kafka"
        )
        .standardized.path

    /// False where there is no Kafka to test with and none was promised.
    package static let isAvailable =
        ProcessInfo.processInfo.environment["GATEHOUSE_TEST_KAFKA"] != nil
        || FileManager.default.isExecutableFile(atPath: program)

    /// Clusters of one process have ports of their own, so that a broker can come back on its own.
    private static let nextPort = Mutex(
        ProcessInfo.processInfo.environment["KAFKA_PORT"].flatMap(Int.init) ?? 20_000 + Int(getpid()) % 250 * 40)

    private static let commonOne = Result { try start() }

    /// One broker for all tests of this process that do nothing to it; each has topics of its own.
    package static func common() throws -> KafkaCluster { try commonOne.get() }

    package static func start(brokers: Int = 1, security: Security = .none) throws -> KafkaCluster {
        try KafkaCluster(brokers, security)
    }

    private init(_ brokers: Int, _ security: Security) throws {
        let folder = TemporaryDirectory()
        let port = Self.nextPort.withLock { port in
            defer { port += 2 * brokers + 4 }
            return port
        }
        switch security {
        case .none: self.security = nil
        case .tlsAndSASL: self.security = try KafkaSecurity(folder, port: port, jars: Self.jars)
        }
        // From here on somebody stops what runs, however this process ends.
        watch = try Self.watch(folder.path)
        self.folder = folder
        servers = try Self.kafka(["start", folder.path, "\(brokers)"], port: port).split(separator: ",").map {
            String($0).trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }

    deinit {
        stop()
    }

    /// Stops every broker in order.
    package func stop() {
        if hasStopped.exchange(true, ordering: .relaxed) { return }
        _ = try? Self.kafka(["stop", folder.path])
        Glibc.kill(watch, SIGTERM)
        _ = waitpid(watch, nil, 0)
    }

    /// Starts every broker that does not run, all at once: a lone one of several has no quorum.
    package func startAgain() throws { try Self.kafka(["start", folder.path]) }

    /// A crash. Brokers are numbered from 1.
    package func kill(_ broker: Int) throws { try Self.kafka(["kill", folder.path, "\(broker)"]) }

    /// A hang.
    package func pause(_ broker: Int) throws {
        try Self.kafka(["pause", folder.path, "\(broker)"])
        // The signal was sent; until every thread has met it, the broker may answer.
        for _ in 0..<5000 where try !isStopped(broker) { usleep(1000) }
    }

    private func isStopped(_ broker: Int) throws -> Bool {
        let number = try String(contentsOfFile: folder.file("broker-\(broker).pid"), encoding: .utf8)
        let tasks = "/proc/\(number.trimmingCharacters(in: .whitespacesAndNewlines))/task"
        return try FileManager.default.contentsOfDirectory(atPath: tasks).allSatisfy { task in
            let status = try? String(contentsOfFile: "\(tasks)/\(task)/stat", encoding: .utf8)
            return status?.split(separator: ")").last?.hasPrefix(" T") ?? true
        }
    }

    package func resume(_ broker: Int) throws { try Self.kafka(["resume", folder.path, "\(broker)"]) }

    /// Starts a broker that was killed; the majority of the others must run.
    package func restart(_ broker: Int) throws { try Self.kafka(["restart", folder.path, "\(broker)"]) }

    private static var jars: String {
        URL(fileURLWithPath: program).deletingLastPathComponent().appendingPathComponent("jars").path
    }

    @discardableResult
    private static func kafka(_ arguments: [String], port: Int? = nil) throws -> String {
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw Unavailable(description: "there is no Kafka to test with at \(program)")
        }
        var environment = ProcessInfo.processInfo.environment
        if let port { environment["KAFKA_PORT"] = "\(port)" }
        let (status, output) = try Background.run(program, arguments, environment: environment)
        guard status == 0 else { throw Unavailable(description: output) }
        return output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// A process that outlives this one and then stops the brokers and removes their folder.
    private static func watch(_ folder: String) throws -> pid_t {
        let script = """
            trap 'exit' TERM
            while kill -0 "$1" 2>/dev/null; do sleep 1; done
            "$2" stop "$3"
            rm -rf "$3"
            """
        return try Background.start(
            "/bin/sh", ["-c", script, "watch", "\(getpid())", program, folder],
            environment: ProcessInfo.processInfo.environment, output: "/dev/null")
    }
}
