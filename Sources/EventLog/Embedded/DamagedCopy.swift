internal import Glibc
internal import SQLite

/// A copy of damaged files, for whoever wants to look at them or to get more out of them.
struct DamagedCopy {
    let folder: String
    /// The next sequence according to what SQLite can read of the copy; nil when it cannot read it.
    let readableNext: Int64?

    private static let names = ["events.db", "events.db-wal", "head"]

    /// Copies the log's files to a folder below `quarantine` that is named after their state: the same damage is copied
    /// once, however often the program is started. Nil when there is nothing to copy.
    static func make(folder: String) throws(LogOpenError) -> DamagedCopy? {
        var newest = 0
        var size = 0
        for name in names {
            var information = stat()
            guard unsafe stat("\(folder)/\(name)", &information) == 0 else { continue }
            newest = max(newest, information.st_mtim.tv_sec)
            size += Int(information.st_size)
        }
        guard size > 0 else { return nil }
        let target = "\(folder)/quarantine/\(newest)-\(size)"
        if unsafe access(target, F_OK) != 0 {
            let partial = target + ".partial"
            try createPrivateFolder(partial)
            for name in names { try copy("\(folder)/\(name)", to: "\(partial)/\(name)") }
            guard unsafe rename(partial, target) == 0 else {
                throw LogOpenError(.inaccessible, "\(target): \(systemMessage())")
            }
        }
        let copied = try? Database(path: "\(target)/events.db", mode: .readOnly)
        let next = (try? copied?.integer("SELECT next FROM log")) ?? nil
        return DamagedCopy(folder: target, readableNext: next)
    }

    private static func copy(_ source: String, to target: String) throws(LogOpenError) {
        let input = unsafe open(source, O_RDONLY | O_CLOEXEC)
        guard input >= 0 else {
            if errno == ENOENT { return }
            throw LogOpenError(.inaccessible, "\(source): cannot be copied: \(systemMessage())")
        }
        defer { close(input) }
        let output = unsafe open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard output >= 0 else {
            throw LogOpenError(.inaccessible, "\(target): cannot be written: \(systemMessage())")
        }
        defer { close(output) }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = unsafe read(input, &buffer, buffer.count)
            guard count > 0 else {
                if count == 0 { break }
                throw LogOpenError(.inaccessible, "\(source): cannot be copied: \(systemMessage())")
            }
            var done = 0
            while done < count {
                let written = unsafe buffer.withUnsafeBytes { bytes in
                    unsafe write(output, bytes.baseAddress! + done, count - done)
                }
                guard written > 0 else {
                    throw LogOpenError(
                        errno == ENOSPC ? .diskFull : .inaccessible,
                        "\(target): the damaged log cannot be copied aside: \(systemMessage()); make room and try again"
                    )
                }
                done += written
            }
        }
        fsync(output)
    }
}
