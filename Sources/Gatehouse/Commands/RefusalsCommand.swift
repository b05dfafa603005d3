internal import Console

struct RefusalsCommand: Command {
    let name = "refusals"
    let summary = "lists the requests that were not taken, and why"
    let synopsis = "[OPTIONS]"
    let options: [Option] = [.configuration, .json, .limit, .since, .source]
    let example = "gatehouse refusals --since 24h"

    func run(_ arguments: Arguments) throws -> Int32 {
        try Listing(arguments, .refusals).print(
            heading: ["AT", "SOURCE", "ADDRESS", "CODE", "SIZE", "DETAIL"]
        ) { [$0("/at"), $0("/source"), $0("/address"), $0("/code"), $0("/size"), $0("/detail")] }
        return ExitCode.success
    }
}
