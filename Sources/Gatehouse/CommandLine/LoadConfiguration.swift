internal import Configuration
internal import YAML

extension Arguments {
    /// The configuration the arguments name; when it has errors they are printed and the command ends with 78.
    func loadConfiguration(_ purpose: ConfigurationLoader.Purpose) throws -> Configuration {
        let (configuration, diagnostics) = ConfigurationLoader(purpose: purpose).load(configurationFile)
        return try Self.usable(configuration, diagnostics)
    }

    static func usable(_ configuration: Configuration?, _ diagnostics: Diagnostics) throws(CommandFailure)
        -> Configuration
    {
        guard let configuration else {
            for diagnostic in diagnostics.sorted { Terminal.complain(diagnostic.description) }
            throw CommandFailure(
                "the configuration has errors; nothing was done", code: ExitCode.configuration)
        }
        return configuration
    }
}
