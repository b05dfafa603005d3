package import FieldPolicies
package import YAML

/// A value of events that a template of the configuration names, and where it stands there.
package struct NamedField: Sendable {
    let field: FieldReference
    package let location: SourceLocation
    /// Written `{?…}`: it is left out where it is absent.
    package let isOptional: Bool

    /// As it stands between braces.
    package var name: String { field.spelled }

    /// Whether the policy leaves nothing of it in any event.
    package func isRemoved(by policy: FieldPolicy) -> Bool {
        switch field {
        case .envelope: false
        case .field(let field): policy.removes(field)
        case .entry(let map, let key): policy.removes(map, entry: key)
        case .group(let path): policy.removes(group: path.joined(separator: "."))
        // Nobody who is given an event under a policy is given this.
        case .original: true
        case .format: false
        }
    }
}

/// A blueprint with templates of the configuration's own.
protocol TemplatedBlueprint: TargetBlueprint {
    /// Everything that its templates name.
    var templateFields: [NamedField] { get }
}

extension TargetBlueprint {
    /// Everything that templates of the target's own name, `key:` and the URL included, each place once. What only a preset
    /// says, and leaves out where it is absent, is not among it: it is meant for whoever has it.
    package var namedFields: [NamedField] {
        var seen: Set<String> = []
        return ((unwrapped as? any TemplatedBlueprint)?.templateFields ?? []).filter { named in
            if named.isOptional, isOfPreset(named) { return false }
            return seen.insert("\(place(of: named)) \(named.name)").inserted
        }
    }

    private func isOfPreset(_ named: NamedField) -> Bool {
        named.location == settings.presetLocation || named.location.file != settings.location?.file
    }

    /// Where somebody looks for what is wrong with it: in the target itself, for what its preset says.
    package func place(of named: NamedField) -> SourceLocation {
        guard let location = settings.location, location.file != named.location.file else { return named.location }
        return location
    }
}

extension PoliciedBlueprint {
    /// A template that names what the target is never given says nothing, and its writer may not know.
    func warnOfRemovedFields(_ diagnostics: inout Diagnostics) {
        for named in namedFields where named.isRemoved(by: policy) {
            diagnostics.warning(
                at: place(of: named),
                "{\(displayable(named.name))} is removed by this target's field policy: there is never anything of it to "
                    + "write; leave it out here, or let the policy keep it")
        }
    }
}

extension HTTPBlueprint: TemplatedBlueprint {
    var templateFields: [NamedField] {
        var fields: [NamedField] = []
        switch body {
        case .template(let template): fields += template.namedFields
        case .form(let form): fields += form.fields.namedFields
        case .event, .none: break
        }
        fields += request.resource?.namedFields ?? []
        fields += request.settings.recordKey?.namedFields ?? []
        if case .ndjson(let before?) = request.wrap { fields += before.namedFields }
        for list in [request.response?.items, request.response?.errors] { fields += list?.event.namedFields ?? [] }
        return fields
    }
}

extension FileBlueprint: TemplatedBlueprint {
    var templateFields: [NamedField] { (format as? TemplateFormat)?.namedFields ?? [] }
}

extension SyslogBlueprint: TemplatedBlueprint {
    var templateFields: [NamedField] { (format as? TemplateFormat)?.namedFields ?? [] }
}

extension BodyTemplate {
    var namedFields: [NamedField] {
        switch self {
        case .object(let members): members.flatMap(\.value.namedFields)
        case .array(let elements): elements.flatMap(\.namedFields)
        case .value(let reference, let presence): reference.named(presence)
        case .text(let pieces, let presence): pieces.flatMap { $0.named(presence) }
        case .literal, .events: []
        }
    }
}

extension BodyTemplate.Piece {
    /// None for what is no reference, and for one that nobody has written.
    func named(_ presence: BodyTemplate.Presence) -> [NamedField] {
        if case .reference(let reference) = self { reference.named(presence) } else { [] }
    }
}

extension TemplateReference {
    fileprivate func named(_ presence: BodyTemplate.Presence) -> [NamedField] {
        guard let location else { return [] }
        let isOptional = if case .whenPresent = presence { true } else { false }
        return fields.map { NamedField(field: $0, location: location, isOptional: isOptional) }
    }
}
