internal import Events
internal import JSON
package import YAML

extension FieldChange {
    /// Reads one `--set`: `{group: Contractor}` as in a test, `visitor.email=eve@example.com`, or `/pointer=VALUE` of the
    /// sender's payload.
    /// - Throws: everything that is wrong with the text; places are in a file called `--set`.
    package static func read(argument: String) throws(Diagnostics) -> [FieldChange] {
        guard !argument.hasPrefix("{"), let equals = argument.firstIndex(of: "=") else {
            return try read(argument, file: "--set")
        }
        let name = String(argument[..<equals])
        let value = argument[argument.index(after: equals)...]
        let location = SourceLocation(file: "--set")
        // Nothing after `=` is an empty text; what is no JSON literal is a text.
        var node = YAMLNode(
            location: location,
            content: .scalar(YAMLScalar(text: String(value), isPlain: !value.isEmpty && value != "~")))
        for part in parts(of: name).reversed() {
            let key = YAMLNode(location: location, content: .scalar(YAMLScalar(text: part, isPlain: true)))
            node = YAMLNode(location: location, content: .mapping([YAMLEntry(key: key, value: node)]))
        }
        var diagnostics = Diagnostics()
        let changes = FieldChangeReader().changes(node, &diagnostics)
        if diagnostics.hasErrors { throw diagnostics }
        return changes
    }

    /// The keys a name leads through. Those of `personal` and `additional` are whole after the first dot.
    private static func parts(of name: String) -> [String] {
        if name.hasPrefix("/") { return ["json", name] }
        let parts = name.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        if FieldNode.root.child(parts[0])?.field?.kind == .map { return parts }
        return name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    }
}
