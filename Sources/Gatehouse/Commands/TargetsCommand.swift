internal import Console

struct TargetsCommand: Command {
    let name = "targets"
    let summary = "lists the targets, what each has had and what it waits for"
    let synopsis = "list [OPTIONS]"
    let options: [Option] = [.configuration, .json]
    let example = "gatehouse targets list"

    func run(_ arguments: Arguments) throws -> Int32 {
        guard arguments.operands == ["list"] else {
            throw UsageError("say what to do with them: targets list")
        }
        try Listing(arguments.withoutOperands, .targets).print(
            heading: ["TARGET", "TYPE", "STATE", "DELIVERED", "FILTERED", "PENDING", "DEAD", "LAST ERROR", "TO"]
        ) {
            [
                $0("/name"), $0("/type"), $0("/state"), $0("/delivered"), $0("/filtered"), $0("/pending"), $0("/dead"),
                $0("/last_error"), $0("/destination"),
            ]
        }
        return ExitCode.success
    }
}
