internal import Console
internal import Glibc
internal import YAML

@main
enum Main {
    static func main() {
        // A peer that closes early shows as an error of the write, not as the program's end.
        signal(SIGPIPE, SIG_IGN)
        exit(run(CommandLine.arguments.dropFirst()))
    }

    static func run(_ words: ArraySlice<String>) -> Int32 {
        guard let name = words.first, name != "--help", name != "-h", name != "help" else {
            Terminal.print(Help.overview(Commands.all))
            return words.isEmpty ? ExitCode.usage : ExitCode.success
        }
        if name == "--version" { return run(["version"]) }
        guard let command = Commands.named(name) else {
            let near = didYouMean(name, among: Commands.all.map(\.name))
            Terminal.complain("gatehouse: there is no command \(Terminal.harmless(name))\(near); see gatehouse --help")
            return ExitCode.usage
        }
        let rest = words.dropFirst()
        if rest.prefix(while: { $0 != "--" }).contains(where: { $0 == "--help" || $0 == "-h" }) {
            Terminal.print(Help.page(command))
            return ExitCode.success
        }
        do {
            return try command.run(Arguments(rest, options: command.options))
        } catch let error as UsageError {
            Terminal.complain("gatehouse \(command.name): \(error.message); see gatehouse \(command.name) --help")
            return ExitCode.usage
        } catch let error as CommandFailure {
            Terminal.complain("gatehouse \(command.name): \(error.message)")
            return error.code
        } catch let error as RecordError {
            Terminal.complain("gatehouse \(command.name): \(error)")
            return ExitCode.usage
        } catch {
            Terminal.complain("gatehouse \(command.name): \(error)")
            return ExitCode.failed
        }
    }
}
