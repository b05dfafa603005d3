import YAML

/// A target that names a preset, made into one that does not.
struct PresetExpansion {
    private let preset: Preset
    private let target: YAMLNode
    private let given: [String: YAMLNode]
    /// Where mistakes are told that what a file of the program's own says leads to: nobody has that file.
    private let place: SourceLocation?
    private var missing: Set<String> = []
    private var depth = 0

    /// What the keys of a target are laid over, key by key; every other one takes the place of the preset's.
    private static let layered = ["headers", "batch", "tls"]

    /// The target with its preset's keys under its own, and the names of the preset's parameters. A target without
    /// `preset:`, or of another type than http, as it is; nil when an error was reported.
    static func expand(
        _ node: YAMLNode, _ presets: PresetCatalogue, _ diagnostics: inout Diagnostics
    ) -> (node: YAMLNode, parameters: [String])? {
        guard let nameNode = node["preset"], node["type"]?.scalar?.text == "http" else { return (node, []) }
        guard let name = nameNode.decided(&diagnostics)?.choice(of: presets.names, &diagnostics),
            let preset = presets[name]
        else { return nil }
        var found = Diagnostics()
        defer { diagnostics.merge(found) }
        var expansion = PresetExpansion(preset, of: node, named: nameNode)
        for parameter in preset.parameters {
            if let value = node[parameter.name] { _ = parameter.check(value, &found) }
        }
        guard !found.hasErrors else { return nil }
        let expanded = expansion.expanded(&found)
        return found.hasErrors ? nil : (expanded, preset.parameters.map(\.name))
    }

    private init(_ preset: Preset, of target: YAMLNode, named name: YAMLNode) {
        self.preset = preset
        place = preset.isShipped ? name.location : nil
        self.target = target
        var given: [String: YAMLNode] = [:]
        for parameter in preset.parameters { given[parameter.name] = target[parameter.name] }
        self.given = given
    }

    private mutating func expanded(_ diagnostics: inout Diagnostics) -> YAMLNode {
        var entries = (target.entries ?? []).filter { $0.name != "preset" && given[$0.name] == nil }
        for entry in preset.entries where entry.name != "body" || target["form"] == nil {
            let place = entries.firstIndex { $0.name == entry.name }
            if let place, !Self.layered.contains(entry.name) || entries[place].value.entries == nil { continue }
            guard let value = node(entry.value, &diagnostics) else { continue }
            guard let place else {
                entries.append(YAMLEntry(key: located(entry.key, entry.key.content), value: value))
                continue
            }
            let own = entries[place].value
            let further = (value.entries ?? []).filter { own[$0.name] == nil }
            entries[place].value = YAMLNode(
                location: own.location, content: .mapping((own.entries ?? []) + further))
        }
        return YAMLNode(location: target.location, content: .mapping(entries))
    }

    private func located(_ node: YAMLNode, _ content: YAMLContent) -> YAMLNode {
        YAMLNode(location: place ?? node.location, content: content)
    }

    /// Nil: left out, for want of a parameter.
    private mutating func node(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> YAMLNode? {
        switch node.content {
        case .scalar(let scalar): return self.scalar(node, scalar, &diagnostics)
        case .sequence(let elements):
            var result: [YAMLNode] = []
            for element in elements { if let element = self.node(element, &diagnostics) { result.append(element) } }
            return located(node, .sequence(result))
        case .mapping(let entries):
            var result: [YAMLEntry] = []
            for entry in entries { result += members(entry, &diagnostics) }
            return located(node, .mapping(result))
        }
    }

    /// One entry, or what stands in its place: `"${parameter:NAME}":` with nothing behind it is all of a mapping.
    private mutating func members(_ entry: YAMLEntry, _ diagnostics: inout Diagnostics) -> [YAMLEntry] {
        guard let key = node(entry.key, &diagnostics) else { return [] }
        if let entries = key.entries, entry.value.isNull { return entries }
        guard key.scalar != nil else {
            diagnostics.error(at: key.location, "this is no name; what is put in here is \(key.kindName)")
            return []
        }
        return node(entry.value, &diagnostics).map { [YAMLEntry(key: key, value: $0)] } ?? []
    }

    private mutating func scalar(
        _ node: YAMLNode, _ scalar: YAMLScalar, _ diagnostics: inout Diagnostics
    ) -> YAMLNode? {
        let parts = PresetText.parts(scalar.text)
        if parts.count == 1, case .parameter(let name, _) = parts[0] { return value(of: name, &diagnostics) }
        var text = ""
        var reference = ""
        var isReference = false
        var isResolved = true
        var ownPlace: SourceLocation?
        for part in parts {
            switch part {
            case .literal(let literal), .foreign(let literal):
                text += literal
                reference += literal
            case .parameter(let name, _):
                guard let value = value(of: name, &diagnostics) else { return nil }
                guard let piece = value.scalar else {
                    diagnostics.error(at: value.location, "`\(name):` is a text here, found \(value.kindName)")
                    return nil
                }
                text += piece.text
                reference += piece.reference ?? piece.text
                isReference = isReference || piece.reference != nil
                isResolved = isResolved && piece.isResolved
                if given[name] != nil { ownPlace = ownPlace ?? value.location }
            }
        }
        let result = YAMLScalar(
            text: isResolved ? text : reference, style: scalar.style, reference: isReference ? reference : nil,
            isResolved: isResolved)
        return YAMLNode(location: ownPlace ?? place ?? node.location, content: .scalar(result))
    }

    /// Nil when there is none.
    private mutating func value(of name: String, _ diagnostics: inout Diagnostics) -> YAMLNode? {
        if let value = given[name] { return value }
        guard let parameter = preset.parameters.first(where: { $0.name == name }) else { return nil }
        if let fallback = parameter.fallback {
            depth += 1
            defer { depth -= 1 }
            guard depth <= preset.parameters.count else {
                diagnostics.error(at: fallback.location, "the default of `\(name):` leads back to itself")
                return nil
            }
            return node(fallback, &diagnostics)
        }
        if parameter.isRequired, missing.insert(name).inserted {
            diagnostics.error(
                at: target.location, "preset \(preset.name) needs `\(name):` (\(parameter.description))")
        }
        return nil
    }
}
