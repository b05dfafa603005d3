package import YAML

/// The keys of an http target for some service, with places for what is one's own: data, in the same form for those that
/// are part of the program and for those of users.
package struct Preset: Sendable {
    package let name: String
    /// For people: which service, and what of it.
    package let description: String
    /// The address of the service's own documentation.
    package let documentation: String?
    package let parameters: [PresetParameter]
    /// The text of its file.
    package let text: [UInt8]
    package let file: String
    /// Part of the program.
    package let isShipped: Bool
    /// Of the target, with `${parameter:…}` in them.
    let entries: [YAMLEntry]
}

extension Preset {
    /// Keys that say what a target is, which no preset can say.
    private static let ownKeys = ["type", "preset", "enabled", "start", "allow"]
    /// Bytes of a file.
    package static let maximumBytes = 1 << 20

    /// Reads a preset's file. Nil when an error was reported.
    /// - Parameter file: for messages.
    package init?(
        name: String, text: [UInt8], file: String, isShipped: Bool = false, _ diagnostics: inout Diagnostics
    ) {
        var found = Diagnostics()
        defer { diagnostics.merge(found) }
        var root: YAMLNode?
        do throws(Diagnostics) {
            root = try parseYAML(text, file: file)
            if root == nil { found.error(at: SourceLocation(file: file), "the file is empty; a preset has keys") }
        } catch {
            found.merge(error)
        }
        guard let root, var reader = MappingReader(root, "preset \(displayable(name))", &found) else { return nil }
        let description = reader.required("description", &found)?.name(&found)
        documentation = reader.optional("documentation")?.name(&found)
        var parameters: [PresetParameter] = []
        for entry in reader.optional("parameters")?.mapping("parameters", &found) ?? [] {
            if let parameter = PresetParameter(entry, &found) { parameters.append(parameter) }
        }
        entries = reader.rest
        for entry in entries where Self.ownKeys.contains(entry.name) {
            found.error(at: entry.key.location, "a preset cannot say `\(entry.name):`; that is the target's own")
        }
        for parameter in parameters {
            if let value = parameter.fallback { PresetText.check(value, parameters, &found) }
        }
        for entry in entries {
            PresetText.check(entry.key, parameters, &found)
            PresetText.check(entry.value, parameters, &found)
        }
        guard let description, !found.hasErrors else { return nil }
        self.name = name
        self.description = description
        self.parameters = parameters
        self.text = text
        self.file = file
        self.isShipped = isShipped
    }
}
