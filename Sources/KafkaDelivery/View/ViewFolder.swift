internal import Delivery
internal import Glibc

/// A folder for one process, whose files nobody else can open: once everything is open they have no names any more, and so
/// are gone with the process, however it ends.
enum ViewFolder {
    static func openStore() throws -> DeliveryStore {
        var template = "\(parent)/gatehouse-view-XXXXXX".utf8CString
        // The folder's mode is 0700.
        let isMade = unsafe template.withUnsafeMutableBufferPointer { unsafe mkdtemp($0.baseAddress!) != nil }
        guard isMade else {
            throw DeliveryStoreError(
                "no folder can be made below \(parent), where TMPDIR says: \(unsafe String(cString: strerror(errno)))")
        }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { remove(path) }
        let store = try DeliveryStore.open(folder: path)
        try store.beginMirror()
        // Its connection for reading is opened by the first query.
        _ = try store.targets()
        return store
    }

    private static var parent: String {
        guard let named = unsafe getenv("TMPDIR") else { return "/tmp" }
        return unsafe String(cString: named)
    }

    private static func remove(_ path: String) {
        let file = DeliveryStore.path(in: path)
        for name in [file, file + "-wal", file + "-shm", file + "-journal"] { _ = unsafe unlink(name) }
        _ = unsafe rmdir(path)
    }
}
