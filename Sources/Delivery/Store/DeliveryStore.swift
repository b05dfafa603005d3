internal import EventLog
internal import Events
internal import Glibc
internal import SQLite
internal import Synchronization

/// The state file: cursors, open events, dead letters, delivery history and the refusals ledger, in `state.db` of the data
/// folder, beside the log. A power cut may take its last commits, which means repeats and never a loss.
package final class DeliveryStore: Sendable {
    /// Nil when the file was opened for reading only, and after an I/O error until `reopen`.
    let writer: Mutex<StoreWriter?>
    /// A connection of its own, so that reading holds up no commit. Nil until it is asked for.
    let reader: Mutex<Database?>
    let refusals = RefusalBuffer()
    private let file: StateFile
    private let lost = Atomic(false)
    let refresher = Mutex<(@Sendable (Set<StorePart>) throws -> Void)?>(nil)

    private init(_ file: StateFile, writer: sending StoreWriter?) {
        self.file = file
        self.writer = Mutex(writer)
        reader = Mutex(nil)
    }

    /// False for working memory.
    var keepsHistory: Bool { file.keepsHistory }

    package static func path(in folder: String) -> String { folder + "/state.db" }

    /// Opens or creates the file, mode 0600, and brings its schema up to date.
    /// - Parameters:
    ///   - vfs: the name of a registered `sqlite3_vfs` that holds the file; nil for the system's file system.
    ///   - checkpointPages: pages written after which the write-ahead log is copied back.
    ///   - keepsHistory: false where a `StateKeeper` has everything: then this is working memory, in which nothing of an
    ///     earlier run's work is found, and no history.
    /// - Throws: `SQLiteError`.
    package static func open(
        folder: String, vfs: String? = nil, checkpointPages: Int = 4000, keepsHistory: Bool = true
    ) throws -> DeliveryStore {
        let file = StateFile(
            path: path(in: folder), vfs: vfs, checkpointPages: checkpointPages, keepsHistory: keepsHistory)
        let writer = try StoreWriter(file)
        if !keepsHistory { try writer.forgetWork() }
        return DeliveryStore(file, writer: writer)
    }

    /// Opens the file of a stopped instance, or of a running one, for reading.
    /// - Throws: `DeliveryStoreError` when there is none.
    package static func openReadOnly(folder: String) throws -> DeliveryStore {
        let path = path(in: folder)
        guard unsafe access(path, F_OK) == 0 else {
            throw DeliveryStoreError("there is no \(path): nothing has run with this data folder yet")
        }
        let store = DeliveryStore(StateFile(path: path), writer: nil)
        let newest = StoreSchema.migrations.count
        guard try store.withReader({ try $0.schemaVersion(newest: newest) }) == newest else {
            throw DeliveryStoreError(
                "\(path) was written by an older version: it is brought up to date when `run` starts with it")
        }
        return store
    }

    func withWriter<Result: Sendable>(_ body: (StoreWriter) throws -> Result) throws -> Result {
        try writer.withLock { writer in
            guard let open = writer else {
                throw DeliveryStoreError(
                    isLost
                        ? "the state file failed and is being opened anew" : "the state file is open for reading only")
            }
            do {
                return try body(open)
            } catch let error as SQLiteError where error.code == .inputOutput {
                lost.store(true, ordering: .sequentiallyConsistent)
                writer = nil
                throw error
            }
        }
    }

    func withReader<Result: Sendable>(_ body: (Database) throws -> Result) throws -> Result {
        try reader.withLock { reader in
            let open = try reader ?? file.openReader()
            reader = open
            return try body(open)
        }
    }

    // MARK: After an I/O error

    /// Nobody knows what the file holds: pages that could not be written may be gone although they were read back before.
    /// It is written again only after `reopen`, and what is in memory is not believed either.
    var isLost: Bool { lost.load(ordering: .sequentiallyConsistent) }

    /// Opens the file anew, with what is sound of it, all of which is on the disk when this returns.
    func reopen() throws {
        try writer.withLock { writer in
            // As long as one connection stays, SQLite believes the index it has of the write-ahead log.
            writer = nil
            reader.withLock { $0 = nil }
            writer = try StoreWriter(file)
            lost.store(false, ordering: .sequentiallyConsistent)
        }
    }

    /// Writes what has changed, in one transaction.
    /// - Parameter isDurable: waits until it, and everything written before, is on the disk.
    func commit(_ changes: [(target: Int64, change: TargetChange)], isDurable: Bool = false) throws {
        try withWriter { try $0.commit(changes, isDurable: isDurable) }
    }

    /// The row of these route names, entered with the next commit when it is new.
    package func routeSet(_ names: [String]) -> RouteSet {
        let id = writer.withLock { $0?.routeSets.id(RouteNames.encode(names)) ?? 0 }
        return RouteSet(id: id, names: names)
    }

    /// Ends in good order: everything on the disk, the write-ahead log copied back.
    package func close() throws {
        try flushRefusals()
        try endRun()
        try withWriter { writer in
            try writer.transaction(isDurable: true) {}
            try writer.checkpoint()
        }
    }
}

/// Where the state file is, and how it is opened.
struct StateFile: Sendable {
    var path: String
    var vfs: String?
    var checkpointPages = 4000
    var keepsHistory = true

    func openReader() throws -> Database { try Database(path: path, mode: .readOnly, vfs: vfs) }
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
