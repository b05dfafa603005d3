internal import Configuration
internal import Console
internal import Events
internal import JSON

struct TailCommand: Command {
    let name = "tail"
    let summary = "follows the events as they come"
    let synopsis = "[OPTIONS]"
    let options: [Option] = [
        .configuration, .json, .source, .type,
        .value("target", "NAME", "that today's routes take to this target"), .condition,
    ]
    let example = "gatehouse tail --type visitor.signin --where '{site: 4567}'"

    /// How long it waits before it asks again, in milliseconds.
    private static let pause = 200
    /// Characters of each column, so that lines stand below each other without knowing what comes.
    private static let widths = [24, 24, 12, 8, 20]

    func run(_ arguments: Arguments) throws -> Int32 {
        try arguments.requireOperands(0, "")
        // Before any other thread is there: the signals are for this one.
        var signals = SignalWaiter()
        guard case .running(let client) = try arguments.findInstance() else {
            throw CommandFailure("no instance answers: start one with `run`")
        }
        let records = RemoteRecords(client)
        var query = ListQuery(.events)
        query.source = arguments.value("source")
        query.type = arguments.value("type")
        query.target = arguments.value("target")
        query.condition = arguments.value("where")
        query.since = Timestamp.now().milliseconds
        let isJSON = arguments.has("json")
        let parser = JSONParser()
        var cursor: String?
        while true {
            let page = try records.page(query, after: cursor)
            for line in page.lines {
                if isJSON { Terminal.print(bytes: line) } else { Self.print(Record(tape: try parser.parse(line))) }
            }
            if let next = page.next {
                cursor = next
                // The place says it all from here on, whatever the clock does.
                query.since = nil
            }
            // While more is there it goes on at once, and looks for signals all the same.
            let event = signals.wait(milliseconds: page.next == nil ? Self.pause : 0)
            if event != .nothing { return ExitCode.success }
        }
    }

    private static func print(_ event: Record) {
        let cells = [
            event("/time"), event("/type"), event("/data/source"), event("/data/site/id"), event("/subject"),
            event("/id"),
        ]
        let padded = cells.enumerated().map { column, cell in
            column < widths.count && cell.count < widths[column]
                ? cell + String(repeating: " ", count: widths[column] - cell.count) : cell
        }
        Terminal.print(padded.joined(separator: "  "))
    }
}
