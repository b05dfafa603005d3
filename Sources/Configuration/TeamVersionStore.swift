internal import Glibc
package import Rules
internal import Synchronization
internal import YAML

/// The last version of each team's files that was at work, one file a team in the data folder. What could not be written
/// there is remembered for as long as the process runs.
package final class TeamVersionStore: Sendable {
    private let folder: String
    private let unwritten = Mutex<[String: TeamVersion]>([:])

    /// All files of a team at their largest, and what JSON adds to them.
    private static let mostBytes = 192 << 20
    private static let suffix = ".json"

    /// - Parameter dataFolder: need not be there yet.
    package init(dataFolder: String) {
        folder = dataFolder + "/teams"
    }

    private func path(_ team: String) -> String { "\(folder)/\(team)\(Self.suffix)" }

    /// Nil when no version is kept, or what is kept cannot be read.
    package func version(of team: String) -> TeamVersion? {
        if let version = unwritten.withLock({ $0[team] }) { return version }
        guard let bytes = try? readFile(path(team), maximumBytes: Self.mostBytes) else { return nil }
        return TeamVersion(json: bytes)
    }

    /// Keeps a version that is at work now.
    package func keep(_ version: TeamVersion, of team: String) throws(FileWritingError) {
        unwritten.withLock { $0[team] = version }
        guard self.written(team) != version else {
            unwritten.withLock { $0[team] = nil }
            return
        }
        try PrivateFile.makeFolder(folder)
        try PrivateFile.replace(path(team), with: version.json)
        unwritten.withLock { $0[team] = nil }
    }

    private func written(_ team: String) -> TeamVersion? {
        (try? readFile(path(team), maximumBytes: Self.mostBytes)).flatMap(TeamVersion.init(json:))
    }

    /// Removes what is kept of teams that there are no more.
    package func forget(except teams: [String]) {
        unwritten.withLock { versions in versions = versions.filter { teams.contains($0.key) } }
        guard let stream = unsafe opendir(folder) else { return }
        defer { unsafe closedir(stream) }
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { place in
                unsafe place.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            guard name.hasSuffix(Self.suffix), !teams.contains(String(name.dropLast(Self.suffix.count))) else {
                continue
            }
            unsafe unlink("\(folder)/\(name)")
        }
    }
}
