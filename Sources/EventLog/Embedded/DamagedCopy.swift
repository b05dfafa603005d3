internal import SQLite

/// A copy of damaged files, for whoever wants to look at them or to get more out of them.
struct DamagedCopy {
    let folder: String
    /// The next sequence according to what SQLite can read of the copy; nil when it cannot read it.
    let readableNext: Int64?

    private static let names = ["events.db", "events.db-wal", "head"]

    /// Copies the log's files to a folder below `quarantine` that is named after their state: the same damage is copied
    /// once, however often the program is started. Nil when there is nothing to copy.
    static func make(folder: String, files: any LogFileSystem) throws(LogOpenError) -> DamagedCopy? {
        var newest = 0
        var size = 0
        for name in names {
            guard let file = try files.open("\(folder)/\(name)", creating: false) else { continue }
            newest = max(newest, file.modified)
            size += file.size ?? 0
        }
        guard size > 0 else { return nil }
        let target = "\(folder)/quarantine/\(newest)-\(size)"
        if !files.exists(target) {
            let partial = target + ".partial"
            try files.createPrivateFolder(partial)
            for name in names { try copy("\(folder)/\(name)", to: "\(partial)/\(name)", files) }
            files.synchronize(folder: partial)
            try files.rename(partial, to: target)
            files.synchronize(folder: "\(folder)/quarantine")
        }
        let copied = try? Database(path: "\(target)/events.db", mode: .readOnly, vfs: files.vfs)
        let next = (try? copied?.integer("SELECT next FROM log")) ?? nil
        return DamagedCopy(folder: target, readableNext: next)
    }

    private static func copy(_ source: String, to target: String, _ files: any LogFileSystem) throws(LogOpenError) {
        guard let input = try files.open(source, creating: false) else { return }
        guard let output = try files.open(target, creating: true) else {
            throw LogOpenError(.inaccessible, "\(target): cannot be written")
        }
        output.truncate()
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var offset = 0
        while true {
            guard let count = unsafe buffer.withUnsafeMutableBytes({ unsafe input.read(into: $0, at: offset) }) else {
                throw LogOpenError(.inaccessible, "\(source): cannot be copied: \(input.failure)")
            }
            if count == 0 { break }
            let isWritten = unsafe buffer.withUnsafeBytes { bytes in
                unsafe output.write(UnsafeRawBufferPointer(rebasing: bytes[0..<count]), at: offset)
            }
            guard isWritten else {
                throw LogOpenError(
                    .diskFull,
                    "\(target): the damaged log cannot be copied aside: \(output.failure); make room and try again")
            }
            offset += count
        }
        output.synchronize()
    }
}
