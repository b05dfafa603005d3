import Glibc
import Simulation

ProcessSettings.makeRepeatable()
let arguments: Arguments
do {
    arguments = try Arguments(Array(CommandLine.arguments.dropFirst()))
} catch {
    print("gatehouse-simulate: \(error)\n\(Arguments.usage)")
    exit(2)
}
if let part = arguments.part {
    Worker.run(arguments.work, part)
    exit(0)
}
let runner = Runner(arguments)
exit((arguments.isTraced ? runner.trace() : runner.run()) ? 0 : 1)
