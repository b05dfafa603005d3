internal import Configuration

/// Where an operator's command finds what it is about.
enum FoundInstance {
    case running(ControlClient)
    /// What the files of a stopped one are read with.
    case stopped(Configuration)
}

extension Arguments {
    /// The instance of the configuration that the arguments name. One that runs is asked although its files have errors now:
    /// it goes on with what it read before, and that is when operators need it most.
    /// - Throws: `CommandFailure` with 78 when the files have errors and nothing runs.
    func findInstance() throws -> FoundInstance {
        let loader = ConfigurationLoader(purpose: .checking)
        let (configuration, diagnostics) = loader.load(configurationFile)
        if let folder = configuration?.dataFolder ?? loader.dataFolder(configurationFile),
            let running = ControlClient(folder: folder)
        {
            if configuration == nil {
                Terminal.complain(
                    "the configuration has errors, which `gatehouse check` shows; the running instance is asked")
            }
            return .running(running)
        }
        return .stopped(try Self.usable(configuration, diagnostics))
    }

    /// The running instance; what is to be done cannot be done without one.
    func runningInstance() throws -> ControlClient {
        switch try findInstance() {
        case .running(let client): return client
        case .stopped(let configuration):
            throw CommandFailure("no instance runs with \(configuration.dataFolder): start it first")
        }
    }
}
