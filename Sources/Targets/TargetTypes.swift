package import YAML

/// Every target type known by name.
package enum TargetTypes {
    package static let all: [any TargetType] = [
        SyslogTargetType(),
        HTTPTargetType(),
        WebhookTargetType(),
        FileTargetType(),
    ]

    package static func named(_ name: String) -> (any TargetType)? {
        all.first { $0.name == name }
    }

    /// Reads one entry of `targets:`. Nil when errors were reported.
    /// - Parameter node: its references resolved, as far as they have values.
    package static func decode(
        name: String, node: YAMLNode, _ diagnostics: inout Diagnostics
    ) -> (any TargetBlueprint)? {
        var found = Diagnostics()
        defer { diagnostics.merge(found) }
        guard var reader = MappingReader(node, "target \(displayable(name))", &found),
            let typeNode = reader.required("type", &found),
            let typeName = typeNode.choice(of: all.map(\.name), &found), let type = named(typeName)
        else { return nil }
        var settings = TargetSettings(name: name, type: typeName)
        settings.decode(&reader, &found)
        settings.fingerprint = Fingerprint.of(node)
        let blueprint = type.decode(&reader, settings, &found)
        reader.finish(&found)
        if found.hasErrors { return nil }
        guard node.isResolved else {
            return UnresolvedBlueprint(settings: settings, destination: blueprint?.destination ?? "not known yet")
        }
        return blueprint
    }
}

/// A target with a `${…}` that has no value: good enough to be checked and spoken of, not to be made.
private struct UnresolvedBlueprint: TargetBlueprint {
    let settings: TargetSettings
    let destination: String

    func make(_ context: TargetContext) throws -> any Target {
        throw TargetError("target \(settings.name): a ${…} in its configuration has no value")
    }
}

/// Why a target could not be made.
package struct TargetError: Error, Sendable, Hashable, CustomStringConvertible {
    /// For people; holds no secret.
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

extension YAMLNode {
    /// Whether every reference in it has a value.
    fileprivate var isResolved: Bool {
        switch content {
        case .scalar(let scalar): scalar.isResolved
        case .sequence(let elements): elements.allSatisfy(\.isResolved)
        case .mapping(let entries): entries.allSatisfy { $0.key.isResolved && $0.value.isResolved }
        }
    }
}
