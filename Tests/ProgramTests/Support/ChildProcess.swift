import Foundation
import Glibc
import Synchronization

/// A program that was started, its output in files. Nothing of the test's own descriptors reaches it.
final class ChildProcess: Sendable {
    enum End: Sendable, Hashable {
        case exited(Int32)
        case killed(by: Int32)
    }

    let pid: pid_t
    let outputFile: String
    let errorsFile: String
    private let end = Mutex<End?>(nil)

    /// - Parameters:
    ///   - environment: all of it.
    ///   - folder: where it is started.
    ///   - files: what the names of its output files begin with.
    init(
        _ program: String, _ arguments: [String], environment: [String: String], in folder: String,
        input: String = "/dev/null", files: String
    ) throws {
        outputFile = files + ".out"
        errorsFile = files + ".err"
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        let writing = O_WRONLY | O_CREAT | O_APPEND
        unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input, O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, outputFile, writing, 0o600)
        unsafe posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errorsFile, writing, 0o600)
        // Whatever other tests have open; what is not open is passed over.
        for descriptor in Int32(3)..<1024 { unsafe posix_spawn_file_actions_addclose(&actions, descriptor) }
        var attributes = Self.plainSignals()
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        let env = "/usr/bin/env"
        let words = CStrings([env, "--chdir=\(folder)", program] + arguments)
        let variables = CStrings(environment.map { "\($0.key)=\($0.value)" })
        var pid: pid_t = 0
        let status = unsafe posix_spawn(&pid, env, &actions, &attributes, words.pointers, variables.pointers)
        guard status == 0 else {
            throw Failure("\(env) could not be started: \(unsafe String(cString: strerror(status)))")
        }
        self.pid = pid
    }

    /// A new process has neither the blocked nor the ignored signals of the thread that starts it.
    private static func plainSignals() -> posix_spawnattr_t {
        var attributes = posix_spawnattr_t()
        var none = sigset_t()
        var all = sigset_t()
        unsafe posix_spawnattr_init(&attributes)
        unsafe sigemptyset(&none)
        unsafe sigfillset(&all)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        return attributes
    }

    deinit {
        signal(SIGKILL)
        while current == nil { usleep(1000) }
    }

    /// Does nothing once the process has ended: its number may be another's by then.
    func signal(_ number: Int32) {
        end.withLock { end in
            if Self.reap(pid, &end) == nil { kill(pid, number) }
        }
    }

    /// Nil while it runs.
    var current: End? { end.withLock { Self.reap(pid, &$0) } }

    private static func reap(_ pid: pid_t, _ end: inout End?) -> End? {
        var status: Int32 = 0
        guard end == nil, unsafe waitpid(pid, &status, WNOHANG) == pid else { return end }
        end = status & 0x7f == 0 ? .exited(status >> 8 & 0xff) : .killed(by: status & 0x7f)
        return end
    }

    /// Nil when it still runs at the deadline.
    func wait(within deadline: Duration) async -> End? {
        let last = ContinuousClock.now + deadline
        while current == nil, ContinuousClock.now < last { try? await Task.sleep(for: .milliseconds(5)) }
        return current
    }

    var output: String { Self.text(outputFile) }
    var errors: String { Self.text(errorsFile) }

    private static func text(_ path: String) -> String {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}

/// A list of C strings that ends in NULL, for as long as this lives.
@safe private final class CStrings {
    let pointers: [UnsafeMutablePointer<CChar>?]

    init(_ texts: [String]) {
        unsafe pointers = texts.map { unsafe strdup($0) } + [nil]
    }

    deinit {
        unsafe pointers.forEach { unsafe free($0) }
    }
}

/// What stands in the way of a test, or of what it asks for.
struct Failure: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Runs something that blocks on a thread of its own, so that it holds up no other test.
func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
}
