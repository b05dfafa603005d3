internal import Glibc

/// Finds the files of routes below folders.
package enum RouteFiles {
    package struct Failure: Error {
        package var path: String
        package var message: String
    }

    static let most = 10_000
    private static let deepest = 32

    /// The file itself, or every `*.yaml` and `*.yml` below the folder that is not hidden, ordered by path.
    /// - Parameter isSkipped: asked of every file and folder before it is looked at.
    package static func below(
        _ path: String, skipping isSkipped: (String) -> Bool = { _ in false }
    ) throws(Failure) -> [String] {
        guard try isFolder(path) else { return [path] }
        var files: [String] = []
        try collect(path, depth: 0, skipping: isSkipped, into: &files)
        return files.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// One text for one file, however it is reached; the path itself when it cannot be resolved.
    static func identity(_ path: String) -> String {
        guard let resolved = unsafe realpath(path, nil) else { return path }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    private static func collect(
        _ folder: String, depth: Int, skipping isSkipped: (String) -> Bool, into files: inout [String]
    ) throws(Failure) {
        guard depth <= deepest else { throw Failure(path: folder, message: "folders nested deeper than \(deepest)") }
        for name in try names(in: folder) where !name.hasPrefix(".") {
            let path = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
            if isSkipped(path) { continue }
            if try isFolder(path) {
                try collect(path, depth: depth + 1, skipping: isSkipped, into: &files)
            } else if name.hasSuffix(".yaml") || name.hasSuffix(".yml") {
                files.append(path)
            }
            guard files.count <= most else { throw Failure(path: folder, message: "more than \(most) files") }
        }
    }

    private static func isFolder(_ path: String) throws(Failure) -> Bool {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { throw failure(path) }
        return status.st_mode & S_IFMT == S_IFDIR
    }

    private static func names(in folder: String) throws(Failure) -> [String] {
        guard let stream = unsafe opendir(folder) else { throw failure(folder) }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else {
                if errno != 0 { throw failure(folder) }
                return names
            }
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { place in
                unsafe place.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
    }

    private static func failure(_ path: String) -> Failure {
        Failure(path: path, message: unsafe String(cString: strerror(errno)))
    }
}
