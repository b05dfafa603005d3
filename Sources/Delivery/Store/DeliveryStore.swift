internal import EventLog
internal import Events
internal import Glibc
internal import SQLite
internal import Synchronization

/// The state file: cursors, open events, dead letters, delivery history and the refusals ledger, in `state.db` of the data
/// folder, beside the log. A power cut may take its last commits, which means repeats and never a loss.
package final class DeliveryStore: Sendable {
    /// Nil when the file was opened for reading only.
    let writer: Mutex<StoreWriter?>
    /// A connection of its own, so that reading holds up no commit.
    let reader: Mutex<Database>
    let refusals = RefusalBuffer()

    private init(writer: sending StoreWriter?, reader: sending Database) {
        self.writer = Mutex(writer)
        self.reader = Mutex(reader)
    }

    package static func path(in folder: String) -> String { folder + "/state.db" }

    /// Opens or creates the file, mode 0600, and brings its schema up to date.
    /// - Throws: `SQLiteError`.
    package static func open(folder: String) throws -> DeliveryStore {
        let path = path(in: folder)
        let writer = try StoreWriter(path: path)
        let reader = try Database(path: path, mode: .readOnly)
        return DeliveryStore(writer: writer, reader: reader)
    }

    /// Opens the file of a stopped instance, or of a running one, for reading.
    /// - Throws: `DeliveryStoreError` when there is none.
    package static func openReadOnly(folder: String) throws -> DeliveryStore {
        let path = path(in: folder)
        guard unsafe access(path, F_OK) == 0 else {
            throw DeliveryStoreError("there is no \(path): nothing has run with this data folder yet")
        }
        let reader = try Database(path: path, mode: .readOnly)
        _ = try reader.schemaVersion(newest: StoreSchema.migrations.count)
        return DeliveryStore(writer: nil, reader: reader)
    }

    func withWriter<Result: Sendable>(_ body: (StoreWriter) throws -> Result) throws -> Result {
        try writer.withLock { writer in
            guard let writer else { throw DeliveryStoreError("the state file is open for reading only") }
            return try body(writer)
        }
    }

    func withReader<Result: Sendable>(_ body: (Database) throws -> Result) throws -> Result {
        try reader.withLock { try body($0) }
    }

    /// Writes what has changed, in one transaction.
    /// - Parameter isDurable: waits until it, and everything written before, is on the disk.
    func commit(_ changes: [(target: Int64, change: TargetChange)], isDurable: Bool = false) throws {
        try withWriter { try $0.commit(changes, isDurable: isDurable) }
    }

    /// The row of these route names, entered with the next commit when it is new.
    func routeSet(_ names: [String]) -> RouteSet {
        let id = writer.withLock { $0?.routeSets.id(RouteNames.encode(names)) ?? 0 }
        return RouteSet(id: id, names: names)
    }

    /// Ends in good order: everything on the disk, the write-ahead log copied back.
    package func close() throws {
        try flushRefusals()
        try endRun()
        try withWriter { writer in
            try writer.transaction(isDurable: true) {}
            writer.checkpoint()
        }
    }
}

/// Route names in one text.
enum RouteNames {
    /// A unit separator stands between names: no name holds a control character.
    private static let separator: Character = "\u{1f}"

    static func encode(_ names: [String]) -> String { names.joined(separator: String(separator)) }

    static func decode(_ text: String) -> [String] {
        text.isEmpty ? [] : text.split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
}
