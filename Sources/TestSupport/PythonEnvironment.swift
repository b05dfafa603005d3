import Foundation

/// The programs and libraries from PyPI that deploy/test-requirements.txt names, as deploy/install-dependencies puts
/// them below .build.
package enum PythonEnvironment {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().appendingPathComponent("../../.build/python/bin").standardized.path

    /// A program of it by its path, such as `python`.
    package static func program(_ name: String) -> String { "\(folder)/\(name)" }

    /// False where it could not be installed; in CI it is promised, and a test without it fails.
    package static let isAvailable =
        ProcessInfo.processInfo.environment["CI"] != nil
        || FileManager.default.isExecutableFile(atPath: program("python"))

    /// Where a package of it is unpacked, such as `confluent_kafka.libs`.
    package static func packages(_ name: String) -> [String] {
        let libraries = URL(fileURLWithPath: folder).deletingLastPathComponent().appendingPathComponent("lib")
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: libraries.path)) ?? []
        return versions.map { libraries.appendingPathComponent("\($0)/site-packages/\(name)").path }
            .filter { FileManager.default.fileExists(atPath: $0) }
    }
}
