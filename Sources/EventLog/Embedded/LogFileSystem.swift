/// What the log needs of a file system beside SQLite, so that a simulated disk can take its place.
package protocol LogFileSystem: Sendable {
    /// The registered `sqlite3_vfs` that holds the databases; nil for the system's.
    var vfs: String? { get }
    func exists(_ path: String) -> Bool
    /// Creates the folder and those above it with mode 0700, and has their entries on the disk; one that is there is
    /// closed to others.
    func createPrivateFolder(_ path: String) throws(LogOpenError)
    /// - Parameter creating: makes the file, with mode 0600, where it is absent.
    /// - Returns: nil for a file that is absent and not to be made.
    func open(_ path: String, creating: Bool) throws(LogOpenError) -> (any LogFileHandle)?
    /// One that is absent is no error.
    func remove(_ path: String)
    func rename(_ path: String, to: String) throws(LogOpenError)
    /// Has what was created, renamed and removed in a folder on the disk.
    func synchronize(folder: String)
    /// Bytes an ordinary user may still write there; nil when nobody says.
    func availableBytes(at path: String) -> Int64?
}

/// An open file. It is closed when nobody refers to it any more.
package protocol LogFileHandle: AnyObject, Sendable {
    /// Bytes; nil when it cannot be told.
    var size: Int? { get }
    /// When it was last written, seconds since 1970.
    var modified: Int { get }
    /// - Returns: bytes read, 0 at the end; nil when it failed.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) -> Int?
    /// - Returns: false when not all of it was written.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool
    func truncate()
    func synchronize()
    /// Locks the whole file against other processes until it is closed; false when one of them holds it.
    func lock() throws(LogOpenError) -> Bool
    /// Why the last call failed.
    var failure: String { get }
}
