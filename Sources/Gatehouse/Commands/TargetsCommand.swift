internal import Console
internal import JSON

struct TargetsCommand: Command {
    let name = "targets"
    let summary = "lists the targets and what each waits for; pauses, resumes, tries out and forgets them"
    let synopsis = "list|pause|resume|test|forget [NAME] [OPTIONS]"
    let options: [Option] = [.configuration, .json]
    let example = """
        gatehouse targets list
        gatehouse targets test partner
        """

    func run(_ arguments: Arguments) throws -> Int32 {
        switch arguments.operands.first {
        case "list" where arguments.operands.count == 1: try list(arguments.withoutOperands)
        case let verb? where OperatorDesk.targetActions.contains(verb):
            guard arguments.operands.count == 2 else { throw UsageError("say which target: targets \(verb) NAME") }
            try act(verb, arguments.operands[1], arguments)
        case "test":
            guard arguments.operands.count == 2 else { throw UsageError("say which target: targets test NAME") }
            return try test(arguments.operands[1], arguments)
        default:
            throw UsageError(
                "say what to do with them: targets list, pause NAME, resume NAME, test NAME or forget NAME")
        }
        return ExitCode.success
    }

    private func list(_ arguments: Arguments) throws {
        try Listing(arguments, .targets).print(
            heading: ["TARGET", "TYPE", "STATE", "DELIVERED", "FILTERED", "PENDING", "DEAD", "LAST ERROR", "TO"]
        ) {
            [
                $0("/name"), $0("/type"), $0("/state"), $0("/delivered"), $0("/filtered"), Self.pending($0),
                $0("/dead"),
                $0("/last_error"), $0("/destination"),
            ]
        }
    }

    /// With how many of them a connection has that acknowledges nothing.
    private static func pending(_ target: Record) -> String {
        let sent = target("/sent")
        return target("/pending") + (sent == "0" || sent == "-" ? "" : " (\(sent) sent)")
    }

    private func test(_ target: String, _ arguments: Arguments) throws -> Int32 {
        try Self.check(target)
        let json = try TargetTester(arguments: arguments).test(target)
        guard let report = try? JSONParser().parse(json), let place = report.member(report.root, "delivered") else {
            throw CommandFailure("the instance's answer makes no sense")
        }
        if arguments.has("json") { Terminal.print(bytes: json) } else { ExchangeText.show(report) }
        return report.bool(place) == true ? ExitCode.success : ExitCode.failed
    }

    private static func check(_ target: String) throws {
        guard target.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"/?#%".utf8.contains($0) }) else {
            throw UsageError("that is no target's name")
        }
    }

    private func act(_ verb: String, _ target: String, _ arguments: Arguments) throws {
        try Self.check(target)
        _ = try arguments.runningInstance().act("targets/\(target)/\(verb)")
        if arguments.has("json") {
            Terminal.print(#"{"done": 1}"#)
            return
        }
        let outcome = ["pause": "paused", "resume": "resumed", "forget": "forgotten"][verb] ?? verb
        Terminal.print("\(target) is \(outcome)")
    }
}
