import Foundation
import Glibc
import TestSupport

/// Faults of the system under a started program: calls that fail, hang or lie, by a library of ours that is loaded into
/// it. They change while it runs.
final class Faults: Sendable {
    private enum Layout {
        static let size = 4096
        static let number = 0
        static let strikes = 16
        static let text = 512
        static let mostRules = 32
    }

    private let temporary = TemporaryDirectory()
    private let file: Int32

    /// - Parameter rules: those that hold from the start.
    init(_ rules: String...) throws {
        try Self.compile(to: temporary.file("faults.so"))
        file = unsafe open(temporary.file("faults"), O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0, ftruncate(file, off_t(Layout.size)) == 0 else { throw Failure("the file of faults") }
        try set(rules)
    }

    deinit {
        close(file)
    }

    /// Starts a program with the faults in it.
    var wrapper: [String] {
        [
            "/usr/bin/env", "LD_PRELOAD=\(temporary.file("faults.so"))", "GATEHOUSE_FAULTS=\(temporary.file("faults"))",
        ]
    }

    /// Takes the place of the rules so far, whose language `Tests/Faults/faults.c` describes.
    func set(_ rules: String...) throws { try set(rules) }

    func clear() throws { try set([]) }

    func set(_ rules: [String]) throws {
        let text = Array(rules.joined(separator: "\n").utf8) + [0]
        guard rules.count <= Layout.mostRules, text.count <= Layout.size - Layout.text else {
            throw Failure("too many faults")
        }
        // Odd while it is written.
        let number = try read(at: Layout.number)
        try write([number + 1], at: Layout.number)
        try write(Array(repeating: UInt64(0), count: Layout.mostRules), at: Layout.strikes)
        try write(text, at: Layout.text)
        try write([number + 2], at: Layout.number)
    }

    /// How often the rule of this place among those set last has struck.
    func strikes(_ rule: Int = 0) throws -> Int { Int(try read(at: Layout.strikes + rule * 8)) }

    /// Waits until a rule has struck.
    func waitForStrike(_ rule: Int = 0, count: Int = 1) async throws -> Bool {
        try await eventually { try strikes(rule) >= count }
    }

    private func read(at offset: Int) throws -> UInt64 {
        var value: UInt64 = 0
        guard unsafe pread(file, &value, 8, off_t(offset)) == 8 else { throw Failure("the file of faults") }
        return value
    }

    private func write<Element: BitwiseCopyable>(_ values: [Element], at offset: Int) throws {
        let isWritten = unsafe values.withUnsafeBytes {
            unsafe pwrite(file, $0.baseAddress, $0.count, off_t(offset)) == $0.count
        }
        guard isWritten else { throw Failure("the file of faults") }
    }

    /// By the compiler that comes with Swift.
    private static func compile(to path: String) throws {
        let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Faults/faults.c").path
        let options = ["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared"]
        let (status, output) = try run("clang", options + ["-o", path, source])
        guard status == 0 else { throw Failure("faults.c does not compile: \(output)") }
    }
}

extension Installation {
    /// An installation of all five senders whose service runs with faults.
    convenience init(faults: Faults, top: String = "", targets: String, routes: String) throws {
        try self.init(
            Self.configuration(top: top, targets: targets), files: ["routes.yaml": "routes:\n" + routes + "\n"],
            wrapper: faults.wrapper)
    }
}
