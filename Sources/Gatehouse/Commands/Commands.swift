/// Every command of the program.
enum Commands {
    static let all: [any Command] = [
        RunCommand(), DemoCommand(), VersionCommand(),
        CheckCommand(), TestCommand(), SchemaCommand(), DiffCommand(),
        EventsCommand(), DeliveriesCommand(), RefusalsCommand(), TraceCommand(), TailCommand(),
        ReconcileCommand(), TargetsCommand(),
        DeadLettersCommand(), ReplayCommand(),
        RoutesCommand(), ExplainCommand(), DecideCommand(),
        NormaliseCommand(), FormatCommand(), SignCommand(), SendCommand(), KeysCommand(),
        BenchCommand(), PresetsCommand(), KafkaCommand(), EnvoyCommand(),
    ]

    static func named(_ name: String) -> (any Command)? {
        all.first { $0.name == name || $0.aliases.contains(name) }
    }
}
