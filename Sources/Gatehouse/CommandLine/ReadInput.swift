internal import Glibc
internal import YAML

/// What a command is to work on, whole: a file, or standard input where none is named or `-` is. Either may be a pipe.
/// - Throws: `CommandFailure` when it cannot be read, or is larger than `maximumBytes`.
func readInput(_ operand: String?, maximumBytes: Int = 64 << 20) throws -> [UInt8] {
    let file = operand.flatMap { $0 == "-" ? nil : $0 }
    do throws(FileReadingError) {
        guard let file else { return try readToEnd(STDIN_FILENO, maximumBytes: maximumBytes) }
        let descriptor = unsafe open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileReadingError(errno: errno) }
        defer { close(descriptor) }
        return try readToEnd(descriptor, maximumBytes: maximumBytes)
    } catch {
        throw CommandFailure("\(file.map { Terminal.harmless($0) } ?? "standard input"): \(error.message)")
    }
}
