internal import Console

struct DeliveriesCommand: Command {
    let name = "deliveries"
    let summary = "lists what became of events at their targets"
    let synopsis = "[OPTIONS]"
    let options: [Option] = [
        .configuration, .json, .limit, .since, .source, .target, .type, .condition,
        .value("id", "ID", "of the event of this id"),
    ]
    let example = "gatehouse deliveries --target siem --since 1h"

    func run(_ arguments: Arguments) throws -> Int32 {
        try Listing(arguments, .deliveries).print(
            heading: ["LAST", "TARGET", "STATE", "ATTEMPTS", "STATUS", "REASON", "ROUTES", "EVENT"]
        ) {
            [
                $0("/last/at"), $0("/target"), $0("/state"), $0("/attempts"), $0("/last/status"), $0("/last/reason"),
                $0("/routes"), $0("/event"),
            ]
        }
        return ExitCode.success
    }
}
