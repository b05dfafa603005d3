internal import Configuration
internal import YAML

extension Arguments {
    /// The configuration of a file with all rules as they stand in their files; an error anywhere in them, a team's too,
    /// is printed and ends the command with 78. Secrets are not needed.
    /// - Parameters:
    ///   - file: nil: the one `-c` names.
    ///   - keptVersions: whether a team whose files have errors has the routes that are kept of it, as in the running
    ///     instance; the errors are printed all the same.
    func loadRules(_ file: String? = nil, keptVersions: Bool = false) throws(CommandFailure) -> Configuration {
        let (configuration, diagnostics) = ConfigurationLoader(purpose: .checking).load(file ?? configurationFile)
        for diagnostic in diagnostics.sorted where diagnostic.severity == .error {
            Terminal.complain(diagnostic.description)
        }
        guard let configuration, keptVersions || !diagnostics.hasErrors else {
            throw CommandFailure("the files have errors; nothing was done", code: ExitCode.configuration)
        }
        return configuration
    }
}
