internal import Configuration
internal import Kafka
internal import KafkaLog
internal import Targets

struct KafkaCommand: Command {
    let name = "kafka"
    let summary = "prints the commands that make the topics of a log in Kafka"
    let synopsis = "topics [-c FILE]"
    let options: [Option] = [.configuration]
    let example = "gatehouse kafka topics -c gatehouse.yaml"

    func run(_ arguments: Arguments) throws -> Int32 {
        guard arguments.operands.first == "topics" else { throw UsageError("say what of it: kafka topics") }
        try arguments.withoutOperands.requireOperands(0, "")
        guard arguments.operands.count == 1 else {
            throw UsageError("`\(Terminal.harmless(arguments.operands[1]))` is one argument too many")
        }
        let configuration = try arguments.loadConfiguration(.checking)
        guard let settings = configuration.log.kafka else {
            throw CommandFailure("\(configuration.file) keeps its log in the data folder, and needs no topics")
        }
        var options = KafkaLogOptions(settings, of: configuration, instance: "gatehouse")
        if settings.brokers.isEmpty {
            options.kafka.brokers = ["HOST:PORT"]
            Terminal.complain("the brokers are not known here: put one of them in the place of HOST:PORT")
        }
        // Whatever may come: without the right to create topics an instance cannot make up for one that is missing.
        options.types = []
        let targets = configuration.targets.map(\.settings.name)
        for command in TopicAdministration.commands(options, targets: targets) { Terminal.print(command) }
        return ExitCode.success
    }
}
