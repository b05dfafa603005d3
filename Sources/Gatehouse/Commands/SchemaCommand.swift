internal import Configuration
internal import Events
internal import Rules

struct SchemaCommand: Command {
    let name = "schema"
    let summary = "prints the JSON Schema of events, of the configuration or of route files"
    let synopsis = "event|config|routes"
    let options: [Option] = []
    let example = """
        gatehouse schema routes > routes.schema.json
        # then, as a route file's first line, for editors:
        # yaml-language-server: $schema=./routes.schema.json
        """

    func run(_ arguments: Arguments) throws -> Int32 {
        try arguments.requireOperands(1, "which schema (event, config or routes)")
        switch arguments.operands[0] {
        case "event": Terminal.print(EventSchema.text)
        case "config": Terminal.print(ConfigurationSchema.text)
        case "routes": Terminal.print(bytes: RoutesSchema.text())
        case let other: throw UsageError("there is no schema `\(other)`: event, config or routes")
        }
        return ExitCode.success
    }
}
