internal import Events
internal import Glibc
package import Ingest
package import JSON
internal import Synchronization
package import YAML

/// The installations of senders' apps that set-ups told of, in one file of the data folder.
package final class InstallationStore: Sendable {
    /// Installations kept; beyond it those that were told of longest ago are forgotten.
    package static let most = 1000
    private static let mostBytes = 1 << 20

    private let path: String
    private let lock = Mutex(())

    /// - Parameter dataFolder: must be there when something is kept.
    package init(dataFolder: String) {
        path = dataFolder + "/installations.json"
    }

    /// Those that are kept, the one told of last at the end.
    /// - Throws: when the file is there and cannot be read.
    package func all() throws(FileReadingError) -> [AppInstallation] {
        guard unsafe access(path, F_OK) == 0 else { return [] }
        let bytes = try readFile(path, maximumBytes: Self.mostBytes)
        guard let tape = try? JSONParser().parse(bytes) else { throw FileReadingError(message: "\(path) is damaged") }
        return tape.elements(tape.root).compactMap { place in
            guard let source = tape.member(place, "source").flatMap({ tape.text($0) }),
                let id = tape.member(place, "install").flatMap({ tape.text($0) }),
                let at = tape.member(place, "at").flatMap({ tape.text($0) }).flatMap({ Timestamp($0) })
            else { return nil }
            return AppInstallation(source: source, id: id, at: at)
        }
    }

    /// Keeps one durably, in the place of what was kept of the same.
    /// - Returns: whether it was not known before.
    package func keep(_ installation: AppInstallation) throws(FileWritingError) -> Bool {
        try lock.withLock { _ throws(FileWritingError) in
            // What is damaged is nothing that could be added to.
            let known = (try? all()) ?? []
            let others = known.filter { $0.source != installation.source || $0.id != installation.id }
            try PrivateFile.replace(path, with: Self.json((others + [installation]).suffix(Self.most)))
            return others.count == known.count
        }
    }

    private static func json(_ installations: some Sequence<AppInstallation>) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginArray()
        for installation in installations { installation.append(to: &writer) }
        writer.endArray()
        return writer.bytes
    }
}

extension AppInstallation {
    /// `{install, source, at}`
    package func append(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("install")
        writer.string(id)
        writer.key("source")
        writer.string(source)
        writer.key("at")
        writer.string(at.text)
        writer.endObject()
    }
}
