internal import Configuration
internal import Events
internal import Rules

struct SchemaCommand: Command {
    let name = "schema"
    let summary = "prints the JSON Schema of events, of the configuration, of files of routes or of decisions"
    let synopsis = "event|config|routes|decisions"
    let options: [Option] = []
    let example = """
        gatehouse schema routes > routes.schema.json
        # then, as a route file's first line, for editors:
        # yaml-language-server: $schema=./routes.schema.json
        """

    func run(_ arguments: Arguments) throws -> Int32 {
        try arguments.requireOperands(1, "which schema (event, config, routes or decisions)")
        switch arguments.operands[0] {
        case "event": Terminal.print(EventSchema.text)
        case "config": Terminal.print(ConfigurationSchema.text)
        case "routes": Terminal.print(bytes: RoutesSchema.text())
        case "decisions": Terminal.print(bytes: DecisionsSchema.text())
        case let other: throw UsageError("there is no schema `\(other)`: event, config, routes or decisions")
        }
        return ExitCode.success
    }
}
