internal import Configuration
internal import Console
internal import Delivery
internal import EventLog

/// Where a command finds what an instance has recorded.
enum Records {
    /// Asks the running instance; reads a stopped one's files, without changing them.
    static func open(_ arguments: Arguments) throws -> any RecordSource {
        let configuration = try arguments.loadConfiguration(.checking)
        let folder = configuration.dataFolder
        if let running = RemoteRecords(socket: ControlSocket.path(in: folder)) { return running }
        do {
            let log = try SQLiteEventArchive.openReadOnly(folder: folder)
            let store = try DeliveryStore.openReadOnly(folder: folder)
            return LocalRecords(
                log: log, store: store,
                targets: { try TargetStatus.stopped(store: store, log: log, statistics: log.statistics()) },
                balance: { try Reconciliation(store: store, log: log, statistics: log.statistics()) })
        } catch {
            throw CommandFailure(
                "no instance answers on \(ControlSocket.path(in: folder)), and its files cannot be read: \(error)")
        }
    }
}
