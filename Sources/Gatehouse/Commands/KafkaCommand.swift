internal import Configuration
internal import EventLog
internal import Events
internal import JSON
internal import Kafka
internal import KafkaLog
internal import Targets

struct KafkaCommand: Command {
    let name = "kafka"
    let summary = "prints the commands that make the topics of a log in Kafka; shows what Kafka refused of the spool"
    let synopsis = "topics|dead-letters [list|requeue|discard [N]] [OPTIONS]"
    let options: [Option] = [.configuration, .json, .flag("all", "every dead letter of the spool")]
    let example = "gatehouse kafka topics -c gatehouse.yaml"

    func run(_ arguments: Arguments) throws -> Int32 {
        switch arguments.operands.first {
        case "topics": try printTopics(arguments)
        case "dead-letters": try deadLetters(arguments)
        default: throw UsageError("say what of it: kafka topics, or kafka dead-letters")
        }
        return ExitCode.success
    }

    private func options(_ arguments: Arguments) throws -> (KafkaLogOptions, Configuration) {
        let configuration = try arguments.loadConfiguration(.checking)
        guard let settings = configuration.log.kafka else {
            throw CommandFailure("\(configuration.file) keeps its log in the data folder, and needs no topics")
        }
        return (KafkaLogOptions(settings, of: configuration, instance: "gatehouse"), configuration)
    }

    // MARK: topics

    private func printTopics(_ arguments: Arguments) throws {
        guard arguments.operands.count == 1 else {
            throw UsageError("`\(Terminal.harmless(arguments.operands[1]))` is one argument too many")
        }
        var (options, configuration) = try options(arguments)
        if options.kafka.brokers.isEmpty {
            options.kafka.brokers = ["HOST:PORT"]
            Terminal.complain("the brokers are not known here: put one of them in the place of HOST:PORT")
        }
        // Whatever may come: without the right to create topics an instance cannot make up for one that is missing.
        options.types = []
        let targets = configuration.targets.map(\.settings.name)
        for command in TopicAdministration.commands(options, targets: targets) { Terminal.print(command) }
    }

    // MARK: dead letters of the spool

    private func deadLetters(_ arguments: Arguments) throws {
        let words = arguments.operands.dropFirst()
        guard let verb = words.first, ["list", "requeue", "discard"].contains(verb) else {
            throw UsageError("say what to do with them: kafka dead-letters list, requeue or discard")
        }
        guard words.count <= (verb == "list" ? 1 : 2) else {
            throw UsageError("`\(Terminal.harmless(words[words.endIndex - 1]))` is one argument too many")
        }
        let letters = SpoolDeadLetters(try options(arguments).0)
        if verb == "list" { return try list(letters, isJSON: arguments.has("json")) }
        guard (words.count == 2) != arguments.has("all") else { throw UsageError("say which: its number, or --all") }
        let wanted = try words.dropFirst().map { word in
            guard let number = Int64(word) else {
                throw UsageError("a dead letter's ID is a number, as `list` shows it")
            }
            return number
        }
        let numbers = arguments.has("all") ? nil : Set(wanted)
        let count: Int
        do {
            count = try verb == "requeue" ? letters.requeue(numbers) : letters.discard(numbers)
        } catch let error as LogOpenError {
            throw CommandFailure(error.message)
        }
        guard count > 0 || numbers == nil else { throw CommandFailure("there is no such dead letter") }
        if arguments.has("json") { return Terminal.print(#"{"done": \#(count)}"#) }
        Terminal.print("\(count) \(verb == "requeue" ? "queued again: the next start publishes them" : "discarded")")
    }

    private func list(_ letters: SpoolDeadLetters, isJSON: Bool) throws {
        var rows = [["ID", "SINCE", "TYPE", "SOURCE", "SIZE", "EVENT", "REASON"]]
        func flush() {
            for line in Terminal.table(rows) { Terminal.print(line) }
            rows = []
        }
        try letters.forEach { letter in
            guard isJSON else {
                rows.append([
                    "\(letter.number)", Timestamp(milliseconds: letter.buriedAtMs).text, letter.type ?? "-",
                    letter.source ?? "-", "\(letter.size)", letter.id.hex, letter.reason,
                ])
                return rows.count >= 500 ? flush() : ()
            }
            var writer = JSONWriter()
            letter.appendJSON(to: &writer)
            Terminal.print(bytes: writer.bytes)
        }
        if !isJSON { flush() }
    }
}
