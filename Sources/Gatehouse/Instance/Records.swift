internal import Configuration
internal import Console
internal import Delivery
internal import EventLog
internal import Targets

/// Where a command finds what an instance has recorded.
enum Records {
    /// Asks the running instance; reads a stopped one's files, without changing them.
    /// - Parameter kind: what is listed; nil: anything that was recorded.
    static func open(_ arguments: Arguments, for kind: ListQuery.Kind? = nil) throws -> any RecordSource {
        let configuration: Configuration
        switch try arguments.findInstance() {
        case .running(let client): return RemoteRecords(client)
        case .stopped(let files): configuration = files
        }
        let routes = RouteListing(configuration.rules)
        if kind == .routes || kind == .teams { return ConfiguredRoutes(listing: routes) }
        do {
            let archive = try configuration.openArchive()
            let (log, store) = (archive.log, archive.records)
            return LocalRecords(
                log: log, store: store, refusals: archive.refusals, targets: archive.targets,
                balance: archive.reconcile, routes: { routes }, sources: { configuration.sourceFacts },
                history: RequestHistory(
                    log: log, store: store, hostname: Machine.name,
                    settings: { name in
                        configuration.targets.lazy.map(\.settings).first { $0.name == name }
                    }))
        } catch {
            throw CommandFailure(
                "no instance answers on \(ControlSocket.path(in: configuration.dataFolder)), and "
                    + (configuration.log == .embedded ? "its files" : "what is in Kafka") + " cannot be read: \(error)")
        }
    }
}

/// The routes that an instance would run by, of one that does not run.
private struct ConfiguredRoutes: RecordSource {
    let listing: RouteListing

    func page(_ query: ListQuery, after cursor: String?) throws -> RecordPage {
        query.kind == .teams ? listing.teams(query) : try listing.routes(query, after: cursor, errors: nil)
    }

    func reconcile() throws -> (json: [UInt8], isBalanced: Bool) {
        throw RecordError("routes have no accounts")
    }
}
