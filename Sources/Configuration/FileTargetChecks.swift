internal import Glibc
internal import Targets
internal import YAML

extension Configuration {
    /// What an instance keeps in its data folder, without what SQLite puts behind the names.
    private static let ownNames = [
        "events.db", "state.db", "teams", "seen-keys.json", "installations.json", "head", "spool", "kafka", "lock",
        "control.sock", "quarantine",
    ]

    /// Reports file targets that would write into what is Gatehouse's own, or where another one writes.
    func checkFileTargets(_ diagnostics: inout Diagnostics) {
        let data = Self.known(dataFolder)
        let configured = Self.place(file)
        var writers: [String: String] = [:]
        for target in targets {
            guard let path = target.file.map(Self.place),
                let location = targetLocations.first(where: { $0.name == target.settings.name })?.location
            else { continue }
            let name = displayable(target.settings.name)
            if path == configured {
                diagnostics.error(at: location, "the target \(name) would write into the configuration")
            }
            if let inside = Self.part(of: path, below: data), Self.ownNames.contains(where: { inside.isOf($0) }) {
                diagnostics.error(
                    at: location,
                    "the target \(name) would write into \(displayable(inside)), which Gatehouse keeps in `data:`; "
                        + "give its `path:` another name")
            }
            if let other = writers.updateValue(name, forKey: path) {
                diagnostics.error(
                    at: location,
                    "the targets \(other) and \(name) would write into the same file; give each a `path:` of its own")
            }
        }
    }

    /// A file's path with its folder as the system knows it, so that two spellings of one file are the same.
    private static func place(_ path: String) -> String {
        let (folder, name) = split(path)
        return known(folder) + "/" + name
    }

    /// A folder's path as the system knows it; the part of it that is not there yet, as it is written.
    private static func known(_ folder: String) -> String {
        if let resolved = unsafe realpath(folder.isEmpty ? "/" : folder, nil) {
            defer { unsafe free(resolved) }
            let path = unsafe String(cString: resolved)
            return path == "/" ? "" : path
        }
        let (above, name) = split(folder)
        return known(above) + (name == "." ? "" : "/" + name)
    }

    private static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        return (String(path[..<slash]), String(path[path.index(after: slash)...]))
    }

    private static func part(of path: String, below folder: String) -> String? {
        path.hasPrefix(folder + "/") ? String(path.dropFirst(folder.utf8.count + 1)) : nil
    }
}

extension String {
    /// `state.db` and `state.db-wal` are of `state.db`, and so is what lies below it.
    fileprivate func isOf(_ name: String) -> Bool {
        ["", "-wal", "-shm"].contains { self == name + $0 } || hasPrefix(name + "/")
    }
}
