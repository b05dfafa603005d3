import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

/// A folder with a configuration as a person would have it, and the program run in it. All that the program prints is
/// looked through for secrets.
final class Installation: Sendable {
    private let temporary = TemporaryDirectory()
    let environment: [String: String]
    private let count = Atomic(0)
    private let wrapper: [String]

    var folder: String { temporary.path }

    /// - Parameters:
    ///   - configuration: `gatehouse.yaml`.
    ///   - files: further ones, by their paths in the folder.
    ///   - environment: beside the secrets.
    ///   - wrapper: a program and arguments that start the service, such as `prlimit`.
    init(
        _ configuration: String, files: [String: String] = [:], environment: [String: String] = Secrets.environment,
        wrapper: [String] = []
    ) throws {
        self.environment = Program.environment.merging(environment) { $1 }
        self.wrapper = wrapper
        try write("gatehouse.yaml", configuration)
        for (path, text) in files { try write(path, text) }
    }

    func path(_ name: String) -> String { temporary.file(name) }

    /// Replaces a file in one step, as editors do.
    func write(_ path: String, _ text: String) throws {
        let file = URL(filePath: self.path(path))
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file, options: .atomic)
    }

    func read(_ path: String) -> String {
        FileManager.default.contents(atPath: self.path(path)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// Runs a command to its end.
    func gatehouse(
        _ arguments: String..., input: String? = nil, environment: [String: String]? = nil,
        within deadline: Duration = patience
    ) async throws -> Outcome {
        try await gatehouse(words: arguments, input: input, environment: environment, within: deadline)
    }

    func gatehouse(
        words arguments: [String], input: String? = nil, environment: [String: String]? = nil,
        within deadline: Duration = patience
    ) async throws -> Outcome {
        let environment = environment.map { Program.environment.merging($0) { $1 } } ?? self.environment
        let name = nextName()
        if let input { try write(name + ".in", input) }
        let process = try ChildProcess(
            Program.path, arguments, environment: environment, in: folder,
            input: input == nil ? "/dev/null" : path(name + ".in"), files: path(name))
        let end = await process.wait(within: deadline)
        let status: Int32 =
            switch end {
            case .exited(let code): code
            case .killed(let signal): 128 + signal
            case nil: -1
            }
        process.signal(SIGKILL)
        let outcome = Outcome(status: status, output: process.output, errors: process.errors)
        if environment == self.environment { Secrets.expectNone(in: outcome.output + outcome.errors) }
        return outcome
    }

    /// Starts the service, ready or not.
    func launch(_ arguments: String...) throws -> Service {
        let words = wrapper + [Program.path, "run"] + arguments
        return Service(
            try ChildProcess(
                words[0], Array(words.dropFirst()), environment: environment, in: folder, files: path(nextName())))
    }

    /// Starts the service and waits until it says that it is ready.
    func start(_ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation) async throws -> Service {
        let words = wrapper + [Program.path, "run"] + arguments
        let service = Service(
            try ChildProcess(
                words[0], Array(words.dropFirst()), environment: environment, in: folder, files: path(nextName())))
        try await service.waitUntilReady(sourceLocation: sourceLocation)
        return service
    }

    private func nextName() -> String { "process-\(count.add(1, ordering: .relaxed).newValue)" }

    /// Everything every process printed so far.
    var everythingPrinted: String {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasPrefix("process-") && !$0.hasSuffix(".in") }.sorted().map(read).joined()
    }
}

/// What no output may ever hold.
enum Secrets {
    static let webhookKey = Array("kestrel partner key of 32 octets".utf8)

    static let environment = [
        "LONDON_SECRET": "kestrel-london-6b1f", "SYDNEY_KEY": "kestrel-sydney-90aa",
        "GUESTS_TOKEN": "kestrel-guests-71c3",
        "FACES_SECRET": "kestrel-faces-d2e8", "LOBBY_SECRET": "kestrel-lobby-44f0",
        "PARTNER_SECRET": "whsec_" + Data(webhookKey).base64EncodedString(), "CRM_TOKEN": "kestrel-crm-5cc7",
    ]

    static func expectNone(in text: String, sourceLocation: SourceLocation = #_sourceLocation) {
        for (name, value) in environment {
            let bare = value.replacingOccurrences(of: "whsec_", with: "")
            #expect(!text.contains(bare), "\(name) was printed", sourceLocation: sourceLocation)
        }
        #expect(!text.lowercased().contains("kestrel"), "part of a secret was printed", sourceLocation: sourceLocation)
    }
}
