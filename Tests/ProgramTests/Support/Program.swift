import Foundation
import Glibc

/// The program as it was built: started with arguments, judged by what it prints and by its exit code.
enum Program {
    /// `GATEHOUSE` names another build; otherwise it lies beside the tests in the build folder.
    static let path: String = {
        if let path = ProcessInfo.processInfo.environment["GATEHOUSE"] { return path }
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
        let tests = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let folders = [URL(filePath: tests), URL(filePath: CommandLine.arguments[0])].map {
            $0.deletingLastPathComponent().appending(path: "gatehouse").path
        }
        return folders.first { FileManager.default.isExecutableFile(atPath: $0) }
            ?? bundled ?? folders[0]
    }()

    /// For test runners that load the tests as a library: their path is among the arguments.
    private static var bundled: String? {
        CommandLine.arguments.lazy.filter { $0.hasSuffix(".xctest") }.map {
            URL(filePath: $0).deletingLastPathComponent().appending(path: "gatehouse").path
        }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// What a person would have: no variable of the test's own.
    static let environment = [
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/nonexistent",
        "LANG": "C.UTF-8",
    ]
}

/// How a command ended.
struct Outcome: Sendable, CustomStringConvertible {
    /// The exit code; 128 and the signal's number when a signal ended it, -1 when it had to be ended.
    var status: Int32
    var output: String
    var errors: String

    var lines: [String] { output.split(separator: "\n").map(String.init) }
    var description: String { "exit \(status)\n\(output)\(errors)" }

    /// Every line of the output as a JSON object.
    var objects: [[String: Any]] {
        get throws { try lines.map(JSON.object) }
    }
}

enum JSON {
    static func object(_ text: String) throws -> [String: Any] {
        guard let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else {
            throw Failure("not a JSON object: \(text.prefix(200))")
        }
        return object
    }

    /// The value at a path of member names; nil when there is none.
    static func value(_ object: Any?, _ path: String...) -> Any? {
        path.reduce(object) { value, name in (value as? [String: Any])?[name] }
    }
}
