internal import Cryptography
internal import Events
internal import Glibc
internal import JSON
internal import YAML

/// A target's configuration at some time, in a form that can be kept and read again: with its `${…}` as they are written,
/// and without what else may be a secret, which is then looked up where it stands now.
package final class TargetVersion: Sendable {
    /// Of the whole configuration, secrets included: tells whether what was read again is what it was.
    package let hash: String
    /// JSON: `{target, file, entry}`.
    package let source: [UInt8]

    package init(hash: String, source: [UInt8]) {
        self.hash = hash
        self.source = source
    }

    /// - Parameter node: an entry of `targets:`, its references resolved.
    static func make(
        name: String, _ node: YAMLNode, _ fingerprint: String
    ) -> (version: TargetVersion, concealed: [String: ConcealedValue]) {
        var writer = JSONWriter()
        var concealed: [String: ConcealedValue] = [:]
        writer.beginObject()
        writer.key("target")
        writer.string(name)
        writer.key("file")
        writer.string(node.location.file)
        writer.key("entry")
        NodeText.write(node, at: [], &concealed, to: &writer)
        writer.endObject()
        let hash = Hex.encode(SHA256.hash("\(name)\n\(node.location.file)\n\(fingerprint)"))
        return (TargetVersion(hash: hash, source: writer.bytes), concealed)
    }
}

extension TargetVersion: Hashable {
    package static func == (one: TargetVersion, other: TargetVersion) -> Bool {
        one === other || one.hash == other.hash
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(hash) }
}

/// Why a past configuration cannot be had any more.
package struct TargetVersionError: Error, Sendable {
    /// For people; holds no secret.
    package let message: String
}

extension TargetVersion {
    /// The target as it was configured.
    /// - Parameters:
    ///   - present: the target's settings now, for secrets that stand in the configuration itself.
    ///   - environment: the value of an environment variable.
    ///   - readFile: a file's text, its path as it is.
    func blueprint(
        present: TargetSettings?, environment: (String) -> String?, readFile: (String) throws -> String
    ) throws(TargetVersionError) -> any TargetBlueprint {
        guard let tape = try? JSONParser().parse(source),
            let name = tape.member(tape.root, "target").flatMap(tape.text),
            let file = tape.member(tape.root, "file").flatMap(tape.text),
            let entry = tape.member(tape.root, "entry")
        else { throw TargetVersionError(message: "the configuration of then cannot be read") }
        let text = NodeText(tape: tape, file: file, concealed: present?.concealed ?? [:])
        guard let written = text.node(entry, at: []) else {
            throw TargetVersionError(message: "a secret of then no longer stands in the configuration")
        }
        var diagnostics = Diagnostics()
        let node = resolveReferences(
            written, environment: environment, readFile: { try readFile(resolvedPath($0, besideFile: file)) },
            unset: .warning, &diagnostics)
        if let missing = diagnostics.sorted.first {
            throw TargetVersionError(message: "a value of the configuration of then is not there: \(missing.message)")
        }
        let blueprint = TargetTypes.decode(name: name, node: node, &diagnostics)
        guard let blueprint, !diagnostics.hasErrors else {
            throw TargetVersionError(message: "the configuration of then is not one that this program takes")
        }
        guard blueprint.settings.version == self else {
            throw TargetVersionError(message: "a secret, or what a ${…} stands for, is not what it was then")
        }
        return blueprint
    }
}

extension TargetVersion {
    /// As above, with this process's environment and files.
    package func blueprint(present: TargetSettings?) throws(TargetVersionError) -> any TargetBlueprint {
        try blueprint(
            present: present, environment: { name in unsafe getenv(name).map { unsafe String(cString: $0) } },
            readFile: { path in String(decoding: try YAML.readFile(path, maximumBytes: 1 << 20), as: UTF8.self) })
    }
}

extension TargetBlueprint {
    /// What was sent, rendered again.
    /// - Parameters:
    ///   - events: one, or with `batch:` all that went together.
    ///   - hostname: the machine's.
    ///   - digest: SHA-256 of what was sent.
    /// - Returns: nil when what is rendered now is something else.
    package func sent(
        _ events: [OutgoingEvent], hostname: String, timestampSeconds: Int64?, digest: [UInt8]
    ) throws(RenderingError) -> TargetRendition? {
        guard let renderable = self as? any RenderableBlueprint else { return nil }
        let message = try renderable.message(events, hostname: hostname, timestampSeconds: timestampSeconds ?? 0)
        guard SHA256.hash(message.bytes) == digest else { return nil }
        return TargetRendition(message, of: self, showsSignature: true)
    }
}
