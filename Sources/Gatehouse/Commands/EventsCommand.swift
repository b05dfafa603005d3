internal import Console

struct EventsCommand: Command {
    let name = "events"
    let summary = "lists the events in the log"
    let synopsis = "[OPTIONS]"
    let options: [Option] = [
        .configuration, .json, .limit, .since, .source, .type, .condition,
        .value("id", "ID", "the event of this id"),
        .flag("quarantine", "the elements of batches that could not be decoded"),
        .flag("system", "Gatehouse's own events too"),
    ]
    let example = "gatehouse events --source london --since 24h --json"

    func run(_ arguments: Arguments) throws -> Int32 {
        if arguments.has("quarantine") {
            try Listing(arguments, .quarantine).print(
                heading: ["RECEIVED", "SOURCE", "INDEX", "SIZE", "REASON"]
            ) { [$0("/received_at"), $0("/source"), $0("/index"), $0("/size"), $0("/reason")] }
        } else {
            try Listing(arguments, .events).print(
                heading: ["TIME", "TYPE", "SOURCE", "SITE", "SUBJECT", "ID"]
            ) { [$0("/time"), $0("/type"), $0("/data/source"), $0("/data/site/id"), $0("/subject"), $0("/id")] }
        }
        return ExitCode.success
    }
}
