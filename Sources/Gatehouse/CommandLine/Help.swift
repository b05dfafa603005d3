/// What `--help` prints.
enum Help {
    static func overview(_ commands: [any Command]) -> String {
        let rows = commands.map { ["  \($0.name)", $0.summary] }
        return """
            Gatehouse receives the webhooks of visitor sign-in systems and routes them on.

            Usage: gatehouse COMMAND [OPTIONS]

            \(Terminal.table(rows).joined(separator: "\n"))

            gatehouse COMMAND --help tells more, with an example.
            """
    }

    static func page(_ command: any Command) -> String {
        var page = """
            \(command.summary.prefix(1).uppercased() + command.summary.dropFirst()).

            Usage: gatehouse \(command.name)\(command.synopsis.isEmpty ? "" : " " + command.synopsis)

            """
        if !command.options.isEmpty {
            let rows = command.options.map { option in
                let short = option.short.map { "-\($0), " } ?? ""
                return ["  \(short)--\(option.name)\(option.value.map { " " + $0 } ?? "")", option.help]
            }
            page += "\n" + Terminal.table(rows).joined(separator: "\n") + "\n"
        }
        return page + "\nExample:\n  " + command.example.split(separator: "\n").joined(separator: "\n  ")
    }
}
