internal import Console
internal import JSON

struct ReconcileCommand: Command {
    let name = "reconcile"
    let summary = "proves that every accepted event has exactly one state at every target"
    let synopsis = "[-c FILE] [--json]"
    let options: [Option] = [.configuration, .json]
    let example = "gatehouse reconcile"

    func run(_ arguments: Arguments) throws -> Int32 {
        try arguments.requireOperands(0, "")
        let (json, isBalanced) = try Records.open(arguments).reconcile()
        if arguments.has("json") {
            Terminal.print(bytes: json)
        } else {
            try report(Record(tape: JSONParser().parse(json)), isBalanced)
        }
        return isBalanced ? ExitCode.success : ExitCode.failed
    }

    private func report(_ record: Record, _ isBalanced: Bool) throws {
        Terminal.print(
            "accepted \(record("/accepted")), duplicates \(record("/duplicates")), quarantined \(record("/quarantined"))"
        )
        let states = ["delivered", "filtered", "pending", "dead", "discarded", "expired"]
        var rows = [["TARGET"] + states.map { $0.uppercased() }]
        if let targets = record.tape.member(record.tape.root, "targets") {
            for (key, _) in record.tape.members(targets) {
                let name = record.tape.text(key) ?? ""
                rows.append([name] + states.map { record("/targets/\(name)/\($0)") })
            }
        }
        for line in Terminal.table(rows) { Terminal.print(line) }
        Terminal.print(isBalanced ? Terminal.paint("balanced", .green) : Terminal.paint("NOT BALANCED", .red, .bold))
    }
}
