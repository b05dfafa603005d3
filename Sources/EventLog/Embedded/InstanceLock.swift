internal import Glibc

/// One instance a data folder: an exclusive lock on `<folder>/lock`, which the kernel gives up with the process.
package final class InstanceLock: Sendable {
    private let file: any LogFileHandle

    /// Creates the folder (0700) and the file (0600) where they are absent.
    /// - Throws: `locked`, naming the process that holds it.
    package init(folder: String, files: any LogFileSystem = SystemFileSystem()) throws(LogOpenError) {
        try files.createPrivateFolder(folder)
        let path = "\(folder)/lock"
        guard let file = try files.open(path, creating: true) else {
            throw LogOpenError(.inaccessible, "\(path): cannot be created")
        }
        guard try file.lock() else {
            throw LogOpenError(
                .locked,
                "\(path): \(Self.holder(file).map { "process \($0)" } ?? "another process") is using this folder; "
                    + "stop it, or give this instance a `data:` folder of its own")
        }
        self.file = file
        file.truncate()
        _ = unsafe Array("\(getpid())\n".utf8).withUnsafeBytes { unsafe file.write($0, at: 0) }
    }

    private static func holder(_ file: any LogFileHandle) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 16)
        guard let count = unsafe bytes.withUnsafeMutableBytes({ unsafe file.read(into: $0, at: 0) }), count > 0 else {
            return nil
        }
        return Int32(String(decoding: bytes[0..<count].prefix { $0 != 0x0A }, as: UTF8.self))
    }
}
