internal import Events
internal import FieldPolicies
package import YAML

/// Every target type known by name.
package enum TargetTypes {
    package static let all: [any TargetType] = [
        SyslogTargetType(),
        HTTPTargetType(),
        WebhookTargetType(),
        FileTargetType(),
        KafkaTargetType(),
    ]

    package static func named(_ name: String) -> (any TargetType)? {
        all.first { $0.name == name }
    }

    /// Reads one entry of `targets:`. Nil when errors were reported.
    /// - Parameters:
    ///   - node: its references resolved, as far as they have values.
    ///   - presets: those it may name.
    package static func decode(
        name: String, node: YAMLNode, presets: PresetCatalogue = .shipped, _ diagnostics: inout Diagnostics
    ) -> (any TargetBlueprint)? {
        var found = Diagnostics()
        defer { diagnostics.merge(found) }
        let presetLocation = node["preset"]?.location
        guard let (node, parameters) = PresetExpansion.expand(node, presets, &found),
            var reader = MappingReader(node, "target \(displayable(name))", &found),
            let typeNode = reader.required("type", &found)?.decided(&found),
            let typeName = typeNode.choice(of: all.map(\.name), &found), let type = named(typeName)
        else { return nil }
        var settings = TargetSettings(name: name, type: typeName)
        settings.location = node.location
        settings.presetLocation = presetLocation
        settings.decode(&reader, &found)
        settings.fingerprint = Fingerprint.of(node)
        settings.references = node.references
        (settings.version, settings.concealed) = TargetVersion.make(name: name, node, settings.fingerprint)
        var blueprint = type.decode(&reader, settings, &found)
        if let policy = settings.fieldPolicy, let inner = blueprint {
            let policied = PoliciedBlueprint(inner: inner, policy: policy)
            policied.warnOfRemovedFields(&found)
            blueprint = policied
        }
        reader.finish(&found, alsoKnown: parameters)
        if found.hasErrors { return nil }
        guard node.isResolved else {
            return UnresolvedBlueprint(
                settings: settings, destination: blueprint?.destination ?? "not known yet", known: blueprint)
        }
        return blueprint
    }
}

/// A target with a `${…}` that has no value: good enough to be checked and spoken of, not to be made.
struct UnresolvedBlueprint: TargetBlueprint {
    let settings: TargetSettings
    let destination: String
    /// What is known of it nevertheless, references as they are written.
    let known: (any TargetBlueprint)?

    func make(_ context: TargetContext) throws -> any Target {
        throw TargetError("target \(settings.name): a ${…} in its configuration has no value")
    }
}

extension UnresolvedBlueprint: RenderableBlueprint {
    func message(
        _ events: [OutgoingEvent], hostname: String, timestampSeconds: Int64
    ) throws(RenderingError) -> WireMessage {
        guard let known = known as? any RenderableBlueprint else {
            throw RenderingError("what it sends cannot be shown: a ${…} in its configuration has no value")
        }
        return try known.message(events, hostname: hostname, timestampSeconds: timestampSeconds)
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
    /// What says how all of a target is read; nil, and a warning, where it has no value.
    func decided(_ diagnostics: inout Diagnostics) -> YAMLNode? {
        guard let scalar, !scalar.isResolved else { return self }
        diagnostics.warning(
            at: location, "as `\(scalar.displayText)` has no value here, the rest of the target is not checked")
        return nil
    }

    /// The values in it that stand there by reference.
    fileprivate var references: [ResolvedReference] {
        switch content {
        case .scalar(let scalar):
            guard let reference = scalar.reference, scalar.isResolved else { return [] }
            return [ResolvedReference(reference: reference, value: scalar.text)]
        case .sequence(let elements): return elements.flatMap(\.references)
        case .mapping(let entries): return entries.flatMap { $0.key.references + $0.value.references }
        }
    }

    /// Whether every reference in it has a value.
    fileprivate var isResolved: Bool {
        switch content {
        case .scalar(let scalar): scalar.isResolved
        case .sequence(let elements): elements.allSatisfy(\.isResolved)
        case .mapping(let entries): entries.allSatisfy { $0.key.isResolved && $0.value.isResolved }
        }
    }
}
