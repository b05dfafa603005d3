import Foundation

/// A librdkafka that is newer than Debian's, as confluent-kafka from PyPI has it in its package: for programs that are
/// started with it in the system's place. It is there as long as the value.
package struct NewerKafkaLibrary: Sendable {
    package struct Missing: Error, CustomStringConvertible {
        package let description = "confluent-kafka of deploy/test-requirements.txt is not installed"
    }

    private let folder = TemporaryDirectory()

    /// Has the loader find it first.
    package var environment: [String: String] { ["LD_LIBRARY_PATH": folder.path] }

    package init() throws {
        let folders = PythonEnvironment.packages("confluent_kafka.libs")
        let files = folders.flatMap { folder in
            ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).map { "\(folder)/\($0)" }
        }
        guard let library = files.first(where: { $0.contains("/librdkafka-") }) else { throw Missing() }
        // Under the name that programs were linked with.
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("librdkafka.so.1"), withDestinationPath: library)
    }

    /// Whether a process has it in its memory.
    package static func isLoaded(by process: Int32) throws -> Bool {
        try run("grep", ["-q", "/confluent_kafka.libs/librdkafka-", "/proc/\(process)/maps"]).status == 0
    }
}
