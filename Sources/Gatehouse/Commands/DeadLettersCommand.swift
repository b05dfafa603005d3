internal import Configuration
internal import Console
internal import Delivery
internal import Events
internal import HTTPClient
internal import HTTPTypes
internal import JSON

struct DeadLettersCommand: Command {
    let name = "dead-letters"
    let summary = "lists events that a target did not take; sends them again, or gives them up"
    let synopsis = "list|show|requeue|discard [ID] [OPTIONS]"
    let options: [Option] = [
        .configuration, .json, .target, .since, .condition,
        .value("until", "TIME", "before then"),
        .value("reason", "CODE", "with this reason, such as http_400"),
        .value("event", "ID", "of the event of this id"),
        .flag("all", "every dead letter of every target"),
    ]
    let example = "gatehouse dead-letters requeue --target crm --reason http_400"

    func run(_ arguments: Arguments) throws -> Int32 {
        guard let verb = arguments.operands.first, ["list", "show", "requeue", "discard"].contains(verb) else {
            throw UsageError("say what to do with them: dead-letters list, show ID, requeue or discard")
        }
        let query = try query(arguments)
        switch verb {
        case "list": try list(query, arguments)
        case "show":
            guard query.id != nil else { throw UsageError("say which: dead-letters show ID") }
            var isThere = false
            try forEach(query, arguments, isWhole: true) {
                isThere = true
                Terminal.print(bytes: $0)
            }
            guard isThere else { throw CommandFailure("there is no such dead letter") }
        default: try decide(verb, query, arguments)
        }
        return ExitCode.success
    }

    private func query(_ arguments: Arguments) throws -> DeadLetterQuery {
        var query = DeadLetterQuery()
        guard arguments.operands.count <= 2 else {
            throw UsageError("one ID at most; more of them by --target and others")
        }
        if arguments.operands.count == 2 {
            guard let id = Int64(arguments.operands[1]) else {
                throw UsageError("a dead letter's ID is a number; for an event's write --event ID")
            }
            query.id = id
        }
        query.target = arguments.value("target")
        query.reason = arguments.value("reason")
        query.event = arguments.value("event")
        query.since = try arguments.moment("since")?.milliseconds
        query.until = try arguments.moment("until")?.milliseconds
        query.condition = arguments.value("where")
        return query
    }

    private func list(_ query: DeadLetterQuery, _ arguments: Arguments) throws {
        if arguments.has("json") {
            return try forEach(query, arguments, isWhole: false) { Terminal.print(bytes: $0) }
        }
        var rows = [["ID", "SINCE", "TARGET", "REASON", "ATTEMPTS", "TYPE", "SOURCE", "EVENT"]]
        func flush() {
            for line in Terminal.table(rows) { Terminal.print(line) }
            rows = []
        }
        let parser = JSONParser()
        try forEach(query, arguments, isWhole: false) { line in
            let cell = Record(tape: try parser.parse(line))
            rows.append([
                cell("/id"), cell("/at"), cell.target, cell("/reason"), cell("/attempts"), cell("/type"),
                cell("/source"), cell("/event"),
            ])
            if rows.count >= 500 { flush() }
        }
        flush()
    }

    /// Asks the running instance, or reads what a stopped one left.
    private func forEach(
        _ query: DeadLetterQuery, _ arguments: Arguments, isWhole: Bool, _ body: ([UInt8]) throws -> Void
    ) throws {
        let page: (Int64) throws -> RecordPage
        switch try arguments.findInstance() {
        case .running(let client):
            page = { after in
                let response = try client.send(
                    "GET", "dead-letters?cursor=\(after)&whole=\(isWhole)" + (query.isEmpty ? "" : "&" + query.text))
                return RecordPage(
                    lines: response.body.split(separator: 0x0A).map(Array.init),
                    next: response.headers[ControlHandler.nextHeader])
            }
        case .stopped(let configuration):
            let archive: Archive
            do {
                archive = try configuration.openArchive()
            } catch {
                throw CommandFailure("the dead letters cannot be read: \(error)")
            }
            page = { try query.page(archive.records, after: $0, isWhole: isWhole) }
        }
        var after: Int64? = 0
        while let cursor = after {
            let next = try page(cursor)
            for line in next.lines { try body(line) }
            after = next.next.flatMap { Int64($0) }
        }
    }

    private func decide(_ verb: String, _ query: DeadLetterQuery, _ arguments: Arguments) throws {
        guard !query.isEmpty || arguments.has("all") else {
            throw UsageError("say which: an ID, --target, --reason, --event, --since, --until or --where; or --all")
        }
        var query = query
        // All of them are those since ever.
        if query.isEmpty { query.since = 0 }
        let decision = try arguments.runningInstance().decide("dead-letters/\(verb)?\(query.text)")
        guard query.id == nil || decision.done + decision.waiting + decision.kept > 0 else {
            throw CommandFailure("there is no such dead letter")
        }
        if query.id != nil, decision.kept > 0, verb == "requeue" {
            throw CommandFailure(
                "it stays a dead letter: the target does not take it now (requeue_refused in the log says why); discard it, "
                    + "or look at the target's `only_if`, `key` and `opt_out`")
        }
        if arguments.has("json") {
            return Terminal.print(
                #"{"done": \#(decision.done), "waiting": \#(decision.waiting), "kept": \#(decision.kept)}"#)
        }
        Terminal.print("\(decision.done) \(verb == "requeue" ? "queued again" : "discarded")")
        if decision.waiting > 0 {
            Terminal.print("\(decision.waiting) handed on, to instances that have not answered yet")
        }
        guard decision.kept > 0 else { return }
        Terminal.print(
            verb == "requeue"
                ? "\(decision.kept) not: the target does not take them now (requeue_refused in the log says why)"
                : "\(decision.kept) not: somebody else has decided about them")
    }
}
