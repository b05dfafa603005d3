import Foundation
import Glibc

/// A program that may leave others behind which go on running. Foundation's `Process` waits for those too: they have
/// inherited what tells it that its own has ended. Here nothing is inherited but the three standard streams.
enum Background {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Runs a program to its end.
    /// - Returns: its exit status and what it wrote.
    static func run(
        _ program: String, _ arguments: [String], environment: [String: String]
    ) throws -> (status: Int32, output: String) {
        let folder = TemporaryDirectory()
        let output = folder.file("output")
        let process = try start(program, arguments, environment: environment, output: output)
        var status: Int32 = 0
        while unsafe waitpid(process, &status, 0) < 0 && errno == EINTR {}
        // The status of one that ended by a signal has it in its low bits.
        return (status == 0 ? 0 : max(1, (status >> 8) & 0xff), try String(contentsOfFile: output, encoding: .utf8))
    }

    /// - Parameter output: a file.
    static func start(
        _ program: String, _ arguments: [String], environment: [String: String], output: String
    ) throws -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // One that is not open is none to mind.
        for descriptor in 3..<min(getdtablesize(), 1024) {
            unsafe posix_spawn_file_actions_addclose(&actions, descriptor)
        }
        let (words, values) = unsafe (
            cStrings([program] + arguments), cStrings(environment.map { "\($0.key)=\($0.value)" })
        )
        defer { unsafe (words + values).forEach { unsafe free($0) } }
        var process: pid_t = 0
        let status = unsafe posix_spawn(&process, program, &actions, nil, words, values)
        guard status == 0 else {
            throw Failure(description: "\(program) does not start: \(unsafe String(cString: strerror(status)))")
        }
        return process
    }

    /// Ended by nil, as C wants it; each is to be freed.
    private static func cStrings(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] {
        unsafe texts.map { unsafe strdup($0) } + [nil]
    }
}
