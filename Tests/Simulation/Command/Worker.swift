import Glibc
import Simulation

/// One run as a process tells it to the one that started it: a line.
struct Report {
    var figures: Figures
    var violation: String?

    init(_ outcome: Simulation.Outcome) {
        figures = outcome.figures
        violation = outcome.violation?.description
    }

    var line: String {
        let text = (violation ?? "").split(separator: "\n").joined(separator: " ")
        return figures.values.map(String.init).joined(separator: " ") + "\t" + text
    }

    init?(line: String) {
        let parts = line.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let figures = Figures(values: parts[0].split(separator: " ").compactMap { Int($0) })
        else { return nil }
        self.figures = figures
        violation = parts[1].isEmpty ? nil : String(parts[1])
    }
}

/// A process that runs every so many of the runs, so that each has SQLite to itself.
final class Worker {
    private let step: Int
    private var process: pid_t = 0
    private var output: Int32 = -1
    private var received: [UInt8] = []

    /// - Parameter first: its first run, counted from 0; then every `step`th.
    init(first: Int, step: Int) {
        self.step = step
        start(first)
    }

    private func start(_ first: Int) {
        var ends: [Int32] = [0, 0]
        guard unsafe pipe(&ends) == 0 else { fatalError("there can be no more pipes") }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        unsafe posix_spawn_file_actions_addclose(&actions, ends[0])
        var arguments =
            unsafe (CommandLine.arguments + ["--part", "\(first)/\(step)"]).map { unsafe strdup($0) }
            + ([nil] as [UnsafeMutablePointer<CChar>?])
        guard unsafe posix_spawn(&process, "/proc/self/exe", &actions, nil, &arguments, environ) == 0 else {
            fatalError("no other process can be started")
        }
        while let argument = unsafe arguments.popLast() { unsafe free(argument) }
        unsafe posix_spawn_file_actions_destroy(&actions)
        close(ends[1])
        output = ends[0]
    }

    /// Its next run; nil when the process died of it. Then another one goes on behind it.
    func next(_ index: Int) -> Report? {
        if let report = report() { return report }
        if end() {
            start(index)
            if let report = report() { return report }
            end()
        }
        start(index + step)
        return nil
    }

    private func report() -> Report? { line().flatMap(Report.init(line:)) }

    /// Nil when there is no more.
    private func line() -> String? {
        var piece = [UInt8](repeating: 0, count: 4096)
        while true {
            if let end = received.firstIndex(of: UInt8(ascii: "\n")) {
                defer { received.removeSubrange(...end) }
                return String(decoding: received[..<end], as: UTF8.self)
            }
            let count = unsafe read(output, &piece, piece.count)
            guard count > 0 else { return nil }
            received += piece[..<count]
        }
    }

    /// - Returns: whether it ended by itself, in good order.
    @discardableResult
    func end() -> Bool {
        close(output)
        received = []
        var status: Int32 = -1
        return unsafe waitpid(process, &status, 0) == process && status == 0
    }

    /// Runs that a process does before another takes its place, so that none comes to take much memory.
    private static let mostRuns = 300

    /// What such a process does.
    static func run(_ work: Work, _ part: Arguments.Part) {
        for index in stride(from: part.first, to: work.count, by: part.step).prefix(mostRuns) {
            print(Report(work.run(index)).line)
            fflush(nil)
        }
    }
}
