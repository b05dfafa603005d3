import Events
import JSON
import YAML

/// JSON of one's own making: `format: {template: {…}}`, in the language of an http target's `body:`.
package struct TemplateFormat: EventFormat {
    package var name: String { "template" }
    package let lineOpening: String
    private let template: BodyTemplate

    static let name = "template"

    var namedFields: [NamedField] { template.namedFields }

    init(_ template: BodyTemplate) {
        self.template = template
        lineOpening =
            switch template {
            case .object: "{"
            case .array: "["
            default: ""
            }
    }

    package func render(_ outgoing: OutgoingEvent, _ options: RenderingOptions) throws(RenderingError) -> [UInt8] {
        var line = template.render(outgoing.event, options.policy)
        if let limit = options.limit, line.count > limit {
            line = try JSONShortener.shortened(line, to: limit, .atRoot)
        }
        JSONFormat.joinLines(&line)
        return line
    }
}

extension Formats {
    /// Reads `format:`: a name, or `{template: {…}}`. Nil when an error was reported.
    /// - Parameter original: whether the target may be given the sender's own payload.
    static func read(
        _ node: YAMLNode, original: Bool, _ diagnostics: inout Diagnostics
    ) -> (any EventFormat)? {
        guard case .mapping = node.content else { return named(node, original: original, &diagnostics) }
        guard var reader = MappingReader(node, "format", &diagnostics),
            let body = reader.required(TemplateFormat.name, &diagnostics)
        else { return nil }
        reader.finish(&diagnostics)
        let policy = ContentPolicy(includesOriginal: original, includesBiometrics: false)
        return BodyTemplate(body, policy, &diagnostics).map { TemplateFormat($0) }
    }

    private static func named(
        _ node: YAMLNode, original: Bool, _ diagnostics: inout Diagnostics
    ) -> (any EventFormat)? {
        if node.scalar?.text == TemplateFormat.name {
            diagnostics.error(at: node.location, "say what is in it: `format: {template: {…}}`")
            return nil
        }
        guard let name = node.choice(of: all.map(\.name), &diagnostics), let format = named(name) else { return nil }
        if format.isSendersOwn, !original {
            diagnostics.error(
                at: node.location, "`format: \(name)` is the sender's own payload, which this target is not given")
            return nil
        }
        return format
    }
}
