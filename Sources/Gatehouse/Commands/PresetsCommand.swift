internal import Configuration
internal import JSON
internal import Targets
internal import YAML

struct PresetsCommand: Command {
    let name = "presets"
    let summary = "lists the presets that http targets may name, or shows one"
    let synopsis = "list|show [NAME] [-c FILE] [--json]"
    let options: [Option] = [
        Option(name: "config", short: "c", value: "FILE", help: "a configuration, for the presets of its own too"),
        .json,
    ]
    let example = """
        gatehouse presets list
        gatehouse presets show splunk-hec > presets/my-splunk.yaml
        """

    func run(_ arguments: Arguments) throws -> Int32 {
        guard let action = arguments.operands.first else {
            throw UsageError("say what: presets list, or presets show NAME")
        }
        switch action {
        case "list":
            try arguments.requireOperands(1, "list")
            list(try presets(arguments).all, arguments.has("json"))
        case "show":
            try arguments.requireOperands(2, "the name of the preset")
            try show(arguments.operands[1], try presets(arguments), arguments.has("json"))
        case let other:
            throw UsageError("`\(Terminal.harmless(other))` is nothing to do with presets: list, or show NAME")
        }
        return ExitCode.success
    }

    /// Without a configuration those that are part of the program.
    private func presets(_ arguments: Arguments) throws -> PresetCatalogue {
        arguments.has("config") ? try arguments.loadConfiguration(.checking).presets : .shipped
    }

    private func list(_ presets: [Preset], _ isJSON: Bool) {
        if isJSON {
            for preset in presets { Terminal.print(bytes: json(preset)) }
            return
        }
        let hasOwn = presets.contains { !$0.isShipped }
        let rows = presets.map { preset in
            [preset.name, preset.description].map { Terminal.harmless($0) }
                + (hasOwn ? [preset.isShipped ? "" : Terminal.harmless(preset.file)] : [])
        }
        for line in Terminal.table(rows) { Terminal.print(line) }
    }

    private func show(_ name: String, _ presets: PresetCatalogue, _ isJSON: Bool) throws {
        guard let preset = presets[name] else {
            let known = presets.all.map(\.name)
            let meant = nearest(name, among: known).map { ": did you mean `\($0)`?" }
            throw CommandFailure(
                "there is no preset `\(Terminal.harmless(name))`\(meant ?? "; there are \(known.joined(separator: ", "))")"
            )
        }
        if isJSON { return Terminal.print(bytes: json(preset)) }
        var text = preset.text
        if text.last == 0x0A { text.removeLast() }
        Terminal.print(bytes: text)
    }

    /// `{name, description, documentation, shipped, file, parameters: [{name, description, kind, required, default}]}`.
    private func json(_ preset: Preset) -> [UInt8] {
        var writer = JSONWriter(reserving: 1024)
        writer.beginObject()
        writer.member("name", preset.name)
        writer.member("description", preset.description)
        writer.member("documentation", preset.documentation)
        writer.key("shipped")
        writer.bool(preset.isShipped)
        writer.member("file", preset.isShipped ? nil : preset.file)
        writer.key("parameters")
        writer.beginArray()
        for parameter in preset.parameters {
            writer.beginObject()
            writer.member("name", parameter.name)
            writer.member("description", parameter.description)
            writer.member("kind", parameter.kind.rawValue)
            writer.key("required")
            writer.bool(parameter.isRequired)
            writer.member("default", parameter.fallbackText)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }
}
