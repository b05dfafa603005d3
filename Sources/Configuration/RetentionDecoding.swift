internal import YAML

extension RetentionSettings {
    static func decode(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> RetentionSettings {
        var settings = RetentionSettings()
        guard var reader = MappingReader(node, "retention", &diagnostics) else { return settings }
        let limits = Duration.seconds(1)...Duration.seconds(3660 * 86_400)
        if let age = reader.optional("age")?.duration(in: limits, &diagnostics) { settings.age = age }
        if let node = reader.optional("size"), let size = node.size(&diagnostics) {
            if size < 1 << 20 { diagnostics.error(at: node.location, "size: must be at least 1MiB") }
            settings.size = size
        }
        if let kept = reader.optional("dead_letters")?.duration(in: limits, &diagnostics) {
            settings.deadLetters = kept
        }
        if let history = reader.optional("history")?.duration(in: limits, &diagnostics) { settings.history = history }
        reader.finish(&diagnostics)
        return settings
    }
}
