/// What a command ends with.
enum ExitCode {
    static let success: Int32 = 0
    /// What was asked did not hold.
    static let failed: Int32 = 1
    static let usage: Int32 = 2
    /// Acknowledged events wait on this machine's disk for the next start. `EX_TEMPFAIL` of sysexits.h.
    static let spooled: Int32 = 75
    /// `EX_CONFIG` of sysexits.h.
    static let configuration: Int32 = 78
}

/// One command of the program: its documentation and what it does. One file a command, one line in `Commands.all`.
protocol Command: Sendable {
    var name: String { get }
    /// One line for the list of commands.
    var summary: String { get }
    /// What stands after the name, such as `[OPTIONS] URL`.
    var synopsis: String { get }
    var options: [Option] { get }
    /// A command line that works, and what it does.
    var example: String { get }
    /// Other spellings of the name.
    var aliases: [String] { get }

    /// - Returns: the exit code.
    /// - Throws: `UsageError` for arguments that make no sense, `CommandFailure` for everything else people can mend.
    func run(_ arguments: Arguments) throws -> Int32
}

extension Command {
    var aliases: [String] { [] }
}

/// A command line option.
struct Option: Sendable {
    var name: String
    var short: Character?
    /// What its value is called; nil for a switch.
    var value: String?
    var help: String
    var isRepeatable = false

    static func flag(_ name: String, _ help: String) -> Option { Option(name: name, help: help) }

    static func value(_ name: String, _ value: String, _ help: String, isRepeatable: Bool = false) -> Option {
        Option(name: name, value: value, help: help, isRepeatable: isRepeatable)
    }

    static let configuration = Option(
        name: "config", short: "c", value: "FILE", help: "the configuration (default ./gatehouse.yaml)")
    static let json = Option.flag("json", "print JSON for machines")
    static let logFormat = Option.value("log-format", "json|text", "how log lines are written (default json)")
    static let limit = Option.value("limit", "N", "the newest N")
    static let since = Option.value("since", "TIME", "from then on: RFC 3339, or back from now such as 24h")
    static let source = Option.value("source", "NAME", "of this source")
    static let target = Option.value("target", "NAME", "of this target")
    static let condition = Option.value("where", "CONDITION", "in the route language, such as '{site: 4567}'")
    static let type = Option.value("type", "TYPE", "of this canonical type, such as visitor.signin")
}

/// The arguments make no sense.
struct UsageError: Error {
    var message: String

    init(_ message: String) {
        self.message = message
    }
}

/// Something people can mend stopped the command.
struct CommandFailure: Error {
    var message: String
    var code: Int32

    init(_ message: String, code: Int32 = ExitCode.failed) {
        self.message = message
        self.code = code
    }
}
