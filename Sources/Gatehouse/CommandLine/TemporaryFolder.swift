internal import Glibc

/// A folder that is made for one command and removed with all that is in it.
struct TemporaryFolder {
    let path: String

    /// - Parameter beginning: how its path begins; six characters follow.
    init(_ beginning: String) throws(CommandFailure) {
        var template = (beginning + "XXXXXX").utf8CString
        let made = unsafe template.withUnsafeMutableBufferPointer { unsafe mkdtemp($0.baseAddress!) != nil }
        guard made else { throw CommandFailure("no folder can be made as \(Terminal.harmless(beginning))…") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func remove() {
        Self.removeAll(path)
    }

    /// Links are removed, never followed.
    private static func removeAll(_ path: String) {
        if unsafe Glibc.remove(path) == 0 { return }
        guard let entries = unsafe opendir(path) else { return }
        while let entry = unsafe readdir(entries) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { removeAll(path + "/" + name) }
        }
        unsafe closedir(entries)
        _ = unsafe Glibc.remove(path)
    }
}
