internal import Console
internal import Events
internal import JSON

struct TraceCommand: Command {
    let name = "trace"
    let summary = "tells an event's whole life, or that of a visit's or visitor's events"
    let synopsis = "[OPTIONS] ID"
    let options: [Option] = [.configuration, .json, .limit]
    let example = """
        gatehouse trace 0733f6e85f2915bee6cd99d5e9ea54bc
        # by the sender's own key, a visit's or a visitor's id, or an e-mail address:
        gatehouse trace 1234
        """

    func run(_ arguments: Arguments) throws -> Int32 {
        try arguments.requireOperands(1, "the id of an event, a visit or a visitor, or the sender's own key")
        var query = ListQuery(.trace)
        query.id = arguments.operands[0]
        query.limit = try arguments.integer("limit", in: 1...1000)
        let page = try Records.open(arguments).page(query, after: nil)
        guard !page.lines.isEmpty else {
            throw CommandFailure(
                "nothing was found by \(Terminal.harmless(arguments.operands[0])); ids and keys count by their exact "
                    + "text, and `events --where` looks for everything else")
        }
        let parser = JSONParser()
        for (index, line) in page.lines.enumerated() {
            if arguments.has("json") {
                Terminal.print(bytes: line)
            } else {
                if index > 0 { Terminal.print("") }
                for sentence in TraceText(Record(tape: try parser.parse(line))).lines { Terminal.print(sentence) }
            }
        }
        return ExitCode.success
    }
}
