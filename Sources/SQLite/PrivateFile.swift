internal import Glibc

/// Creates the file with mode 0600 unless it is there, and takes others' rights away where they had any. The
/// write-ahead log and its index inherit the mode.
func createPrivateFile(_ path: String) throws(SQLiteError) {
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else {
        throw SQLiteError(
            code: errno == ENOSPC ? .full : .inaccessible, operation: "create \(path)",
            message: unsafe String(cString: strerror(errno)))
    }
    fchmod(descriptor, 0o600)
    close(descriptor)
}
