internal import Console

struct DeliveriesCommand: Command {
    let name = "deliveries"
    let summary = "lists what became of events at their targets"
    let synopsis = "[OPTIONS]"
    let options: [Option] = [
        .configuration, .json, .limit, .since, .source, .target, .type, .condition,
        .value("id", "ID", "of the event of this id, with every attempt"),
        .flag("request", "with --id: what was sent and answered, attempt by attempt"),
    ]
    let example = """
        gatehouse deliveries --target siem --since 1h
        # what exactly was sent, and what came back:
        gatehouse deliveries --id 0733f6e85f2915bee6cd99d5e9ea54bc --request
        """

    func run(_ arguments: Arguments) throws -> Int32 {
        if arguments.has("request"), !arguments.has("json") {
            guard arguments.has("id") else {
                throw UsageError("--request needs --id ID: requests are shown of one event")
            }
            try Listing(arguments, .deliveries).forEach { record in
                for line in HistoryText(record).lines { Terminal.print(line) }
            }
            return ExitCode.success
        }
        try Listing(arguments, .deliveries).print(
            heading: ["LAST", "TARGET", "STATE", "ATTEMPTS", "STATUS", "REASON", "ROUTES", "EVENT"]
        ) {
            [
                $0("/last/at"), $0.target, $0("/state"), $0("/attempts"), $0("/last/status"), $0.reason,
                $0("/routes"), $0("/event"),
            ]
        }
        return ExitCode.success
    }
}
