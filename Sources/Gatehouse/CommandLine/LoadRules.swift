internal import Configuration
internal import YAML

extension Arguments {
    /// The configuration of a file with all rules as they stand in their files; an error anywhere in them, a team's too,
    /// is printed and ends the command with 78. Secrets are not needed.
    /// - Parameter file: nil: the one `-c` names.
    func loadRules(_ file: String? = nil) throws(CommandFailure) -> Configuration {
        let (configuration, diagnostics) = ConfigurationLoader(purpose: .checking).load(file ?? configurationFile)
        guard let configuration, !diagnostics.hasErrors else {
            for diagnostic in diagnostics.sorted where diagnostic.severity == .error {
                Terminal.complain(diagnostic.description)
            }
            throw CommandFailure("the files have errors; nothing was done", code: ExitCode.configuration)
        }
        return configuration
    }
}
