import Glibc
import Simulation

let arguments: Arguments
do {
    arguments = try Arguments(Array(CommandLine.arguments.dropFirst()))
} catch {
    print("gatehouse-simulate: \(error)\n\(Arguments.usage)")
    exit(2)
}
ProcessSettings.makeRepeatable()
exit(Runner(arguments).run() ? 0 : 1)
