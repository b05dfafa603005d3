internal import Console

struct RoutesCommand: Command {
    let name = "routes"
    let summary = "lists the routes at work, and how every team's files stand"
    let synopsis = "[--teams] [OPTIONS]"
    let options: [Option] = [
        .configuration, .json, .target, .value("team", "TEAM", "of this team"),
        .flag("teams", "list the teams instead: what is at work of each, and what is wrong with its files"),
    ]
    let example = "gatehouse routes --team london"

    func run(_ arguments: Arguments) throws -> Int32 {
        if arguments.has("teams") {
            try Listing(arguments, .teams).print(heading: ["TEAM", "STATE", "SINCE", "ROUTES", "TARGETS", "ERROR"]) {
                [$0("/name"), $0("/state"), $0("/since"), $0("/routes"), $0("/targets"), $0("/error")]
            }
            return ExitCode.success
        }
        let listing = try Listing(arguments, .routes)
        try listing.print(heading: ["NAME", "STATE", "TARGETS", "SINCE", "ERRORS", "WHERE", "DESCRIPTION"]) {
            [
                $0("/name"), Self.state($0), $0("/targets"), $0("/since"), $0("/errors"),
                "\($0("/file")):\($0("/line"))", $0("/description"),
            ]
        }
        try warn(Listing(arguments, .teams))
        return ExitCode.success
    }

    /// In one word, what is out of the ordinary about a route.
    private static func state(_ route: Record) -> String {
        if route("/enabled") == "false" { return "off" }
        if route("/kept") == "true" { return "kept" }
        return route("/residual") == "true" ? "residual" : "on"
    }

    /// A team whose files do not load may have no route to show it by.
    private func warn(_ teams: Listing) throws {
        try teams.forEach { team in
            guard team("/state") != "current" else { return }
            let atWork =
                team("/state") == "kept" ? "its routes of \(team("/since")) are kept" : "it has no routes at work"
            Terminal.complain("team \(team("/name")): \(atWork): \(team("/error", most: 1000))")
        }
    }
}
