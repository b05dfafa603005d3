internal import Cryptography
internal import JSON

/// The texts of all files of a team, as they were when they loaded.
package struct TeamVersion: Sendable, Equatable {
    package struct File: Sendable, Equatable {
        package var path: String
        package var bytes: [UInt8]

        package init(path: String, bytes: [UInt8]) {
            self.path = path
            self.bytes = bytes
        }
    }

    /// In the order of their paths.
    package var files: [File]
    /// What their lists were read from.
    package var lists: [File]
    /// Their file of decisions.
    package var decisions: File?
    /// When it was first at work: milliseconds since 1970.
    package var sinceMs: Int64

    package init(files: [File], lists: [File] = [], decisions: File? = nil, sinceMs: Int64) {
        self.files = files
        self.lists = lists
        self.decisions = decisions
        self.sinceMs = sinceMs
    }
}

/// As a file: `{"since": MILLISECONDS, "sha256": …, "files": [{"path": …, "text": …}], "lists": […], "decisions": […]}`. The hash is of the texts, so that
/// a file that somebody or some disk has changed is not taken.
extension TeamVersion {
    package var json: [UInt8] {
        let size = (files + lists + decisionFiles).reduce(256) { $0 + $1.bytes.count + $1.path.utf8.count + 32 }
        var writer = JSONWriter(reserving: size)
        writer.beginObject()
        writer.key("since")
        writer.integer(sinceMs)
        writer.key("sha256")
        writer.string(hash)
        Self.write(files, as: "files", to: &writer)
        if !lists.isEmpty { Self.write(lists, as: "lists", to: &writer) }
        if decisions != nil { Self.write(decisionFiles, as: "decisions", to: &writer) }
        writer.endObject()
        writer.endLine()
        return writer.bytes
    }

    private static func write(_ files: [File], as name: String, to writer: inout JSONWriter) {
        writer.key(name)
        writer.beginArray()
        for file in files {
            writer.beginObject()
            writer.key("path")
            writer.string(file.path)
            writer.key("text")
            writer.string(utf8: file.bytes)
            writer.endObject()
        }
        writer.endArray()
    }

    private static func read(_ name: String, _ tape: JSONTape) -> [File]? {
        guard let list = tape.member(tape.root, named: name) else { return [] }
        guard tape.kind(list) == .array else { return nil }
        var files: [File] = []
        for element in tape.elements(list) {
            guard let path = tape.member(element, "path").flatMap(tape.text),
                let text = tape.member(element, "text").flatMap(tape.text)
            else { return nil }
            files.append(File(path: path, bytes: Array(text.utf8)))
        }
        return files
    }

    /// Nil for a text that is not what `json` wrote.
    package init?(json: [UInt8]) {
        guard let tape = try? JSONParser().parse(json),
            let since = tape.member(tape.root, "since").flatMap(tape.integer),
            let hash = tape.member(tape.root, "sha256").flatMap(tape.text),
            let files = Self.read("files", tape), let lists = Self.read("lists", tape),
            let decisions = Self.read("decisions", tape)
        else { return nil }
        self.init(files: files, lists: lists, decisions: decisions.first, sinceMs: since)
        guard hash == self.hash else { return nil }
    }

    private var decisionFiles: [File] { decisions.map { [$0] } ?? [] }

    /// Equal for the same files with the same texts.
    var hash: String {
        var bytes: [UInt8] = []
        for file in files + lists {
            bytes += Array("\(file.path.utf8.count):\(file.path)\(file.bytes.count):".utf8)
            bytes += file.bytes
        }
        // What is a file of routes must not pass for one of decisions.
        if let decisions {
            bytes += Array("decisions:\(decisions.path.utf8.count):\(decisions.path)\(decisions.bytes.count):".utf8)
            bytes += decisions.bytes
        }
        return Hex.encode(SHA256.hash(bytes))
    }
}
