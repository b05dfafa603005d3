/// Every command of the program.
enum Commands {
    static let all: [any Command] = [
        RunCommand(), DemoCommand(), VersionCommand(),
        CheckCommand(), SchemaCommand(),
        EventsCommand(), DeliveriesCommand(), RefusalsCommand(), ReconcileCommand(), TargetsCommand(),
        NormaliseCommand(), SignCommand(), SendCommand(),
    ]

    static func named(_ name: String) -> (any Command)? {
        all.first { $0.name == name || $0.aliases.contains(name) }
    }
}
