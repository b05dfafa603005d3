import Foundation
import Glibc
import TestSupport
import Testing

/// The program as it was built, beside the tests.
enum Program {
    /// `GATEHOUSE` names another build.
    static let path: String = {
        if let path = ProcessInfo.processInfo.environment["GATEHOUSE"] { return path }
        let tests =
            CommandLine.arguments.filter { $0.contains(".xctest") } + ["/proc/self/exe", CommandLine.arguments[0]]
        let candidates = tests.map { test in
            let bundle = URL(filePath: test).resolvingSymlinksInPath()
            return bundle.deletingLastPathComponent().appending(path: "gatehouse").path
        }
        return candidates.first { FileManager.default.isExecutableFile(atPath: $0) } ?? "gatehouse"
    }()
}

/// A folder in which commands of the pages run, one after the other, as in one terminal: what is exported stays.
final class Shell {
    private let folder = TemporaryDirectory()
    private let tools = TemporaryDirectory()
    private var running: [String: Process] = [:]

    init() throws {
        try #require(FileManager.default.isExecutableFile(atPath: Program.path), "there is no \(Program.path)")
        try FileManager.default.createSymbolicLink(
            atPath: tools.file("gatehouse"), withDestinationPath: Program.path)
    }

    deinit {
        for process in running.values where process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    func path(_ name: String) -> String { folder.file(name) }

    func write(_ name: String, _ text: String) throws {
        let url = URL(filePath: path(name))
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    func read(_ name: String) -> String {
        (try? String(contentsOfFile: path(name), encoding: .utf8)) ?? ""
    }

    /// Runs a script to its end. Standard output and standard error come together, as on a terminal.
    @discardableResult
    func run(_ script: String) throws -> (status: Int32, output: String) {
        // A command that never ends must not hold up the others for ever.
        let process = try start(
            script, output: "output", savesExports: true, ["/usr/bin/timeout", "--kill-after=5", "120"])
        process.waitUntilExit()
        defer { try? FileManager.default.removeItem(atPath: tools.file("output")) }
        return (process.terminationStatus, (try? String(contentsOfFile: tools.file("output"), encoding: .utf8)) ?? "")
    }

    /// Starts a script that goes on; its output is what `output(of:)` tells.
    func begin(_ script: String, as name: String) throws {
        running[name] = try start("exec " + script, output: name, savesExports: false, [])
    }

    func output(of name: String) -> String {
        (try? String(contentsOfFile: tools.file(name), encoding: .utf8)) ?? ""
    }

    /// Ends what was begun with SIGTERM.
    /// - Returns: the exit code; nil when it did not end.
    func stop(_ name: String) async -> Int32? {
        guard let process = running[name] else { return nil }
        process.terminate()
        return await poll(deadline: .seconds(60)) { !process.isRunning } ? process.terminationStatus : nil
    }

    private func start(
        _ script: String, output: String, savesExports: Bool, _ wrapper: [String]
    ) throws -> Process {
        let process = Process()
        let saved = tools.file("exports")
        let text = """
            [ ! -f \(saved) ] || . \(saved)
            \(savesExports ? "trap 'export -p > \(saved)' EXIT" : "")
            \(script)
            """
        let words = wrapper + ["/bin/bash", "-c", text]
        process.executableURL = URL(filePath: words[0])
        process.arguments = Array(words.dropFirst())
        process.currentDirectoryURL = URL(filePath: folder.path)
        process.environment = [
            "PATH": "\(tools.path):/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": folder.path,
            "LANG": "C.UTF-8",
        ]
        try tools.write(output, "")
        let file = try FileHandle(forWritingTo: URL(filePath: tools.file(output)))
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = file
        process.standardError = file
        try process.run()
        return process
    }
}
