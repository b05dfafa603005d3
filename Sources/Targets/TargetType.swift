package import YAML

/// A kind of target, such as syslog: how its configuration is read.
package protocol TargetType: Sendable {
    /// What `type:` says.
    var name: String { get }

    /// Reads the keys of this type. The shared keys have been read; keys that nobody asked for are reported afterwards.
    /// Nil when an error was reported without which there is nothing to make.
    func decode(
        _ reader: inout MappingReader, _ settings: TargetSettings, _ diagnostics: inout Diagnostics
    ) -> (any TargetBlueprint)?
}

/// A target's checked configuration. Holds secrets: it is never printed.
package protocol TargetBlueprint: Sendable {
    var settings: TargetSettings { get }

    /// Where it sends to, for people: no user, no password, no query.
    var destination: String { get }

    /// - Throws: what only shows at start, such as a signing key that cannot be read or a folder that cannot be written.
    func make(_ context: TargetContext) throws -> any Target
}
