/// The program's version, in one place.
enum Version {
    static let current = "0.1.0"
}

struct VersionCommand: Command {
    let name = "version"
    let summary = "prints the program's version"
    let synopsis = "[--json]"
    let options: [Option] = [.json]
    let example = "gatehouse version"

    func run(_ arguments: Arguments) throws -> Int32 {
        try arguments.requireOperands(0, "")
        guard arguments.has("json") else {
            Terminal.print("gatehouse \(Version.current)")
            return ExitCode.success
        }
        Terminal.print("{\"version\":\"\(Version.current)\",\"allocator\":\"\(Allocator.name)\"}")
        return ExitCode.success
    }
}
