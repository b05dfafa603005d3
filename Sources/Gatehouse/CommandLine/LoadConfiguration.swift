internal import Configuration
internal import YAML

extension Arguments {
    /// The configuration the arguments name; when it has errors they are printed and the command ends with 78.
    func loadConfiguration(_ purpose: ConfigurationLoader.Purpose) throws -> Configuration {
        let (configuration, diagnostics) = ConfigurationLoader(purpose: purpose).load(configurationFile)
        guard let configuration else {
            for diagnostic in diagnostics.sorted { Terminal.complain(diagnostic.description) }
            throw CommandFailure(
                "the configuration has errors; nothing was done", code: ExitCode.configuration)
        }
        return configuration
    }
}

/// Standard input or a file, whole.
func readInput(_ operand: String?, maximumBytes: Int = 64 << 20) throws -> [UInt8] {
    do {
        return try readFile(operand.flatMap { $0 == "-" ? nil : $0 } ?? "/dev/stdin", maximumBytes: maximumBytes)
    } catch {
        throw CommandFailure(error.message)
    }
}
