import Events
import JSON

/// An event in one format, for people to look at: as a target would write it, or as one with no settings would.
package struct FormatPreview: Sendable {
    private let format: any EventFormat
    private let target: (any TargetBlueprint)?
    private let options: RenderingOptions
    /// Of a target whose messages have a header, which counts.
    private let syslog: SyslogRenderer?

    /// - Parameters:
    ///   - name: a format's; nil: the target's own, `template` too.
    ///   - hostname: the machine's.
    /// - Throws: when there is no such format, or the target has none.
    package init(
        _ name: String?, as target: (any TargetBlueprint)?, hostname: String
    ) throws(RenderingError) {
        let blueprint = target?.unwrapped
        let own = (blueprint as? SyslogBlueprint)?.format ?? (blueprint as? FileBlueprint)?.format
        self.target = target
        options = Self.options(blueprint, hostname)
        syslog = (blueprint as? SyslogBlueprint)?.renderer(hostname: hostname)
        switch name {
        case nil:
            guard let own else { throw RenderingError("the target has no format; say one") }
            format = own
        case TemplateFormat.name?:
            guard let own = own as? TemplateFormat else {
                throw RenderingError("a template is written out in a target's `format:`; name such a target")
            }
            format = own
        case let name?:
            guard let found = Formats.named(name) else { throw RenderingError("there is no format \(name)") }
            guard !found.isSendersOwn || options.policy.includesOriginal else {
                throw RenderingError("the target is not given the sender's own payload")
            }
            format = found
        }
    }

    package var formatName: String { format.name }

    /// One line, without its end.
    package func line(_ outgoing: OutgoingEvent) throws(RenderingError) -> [UInt8] {
        var outgoing = outgoing
        if let policy = target?.settings.fieldPolicy { outgoing = try outgoing.under(policy, JSONParser()) }
        var options = options
        if let syslog { options.limit = syslog.maximumBytes - syslog.opening(for: outgoing.event).count }
        return try format.render(outgoing, options)
    }

    private static func options(_ blueprint: (any TargetBlueprint)?, _ hostname: String) -> RenderingOptions {
        switch blueprint {
        case let syslog as SyslogBlueprint:
            RenderingOptions(
                policy: ContentPolicy(includesOriginal: false, includesBiometrics: false),
                hostname: syslog.hostname ?? hostname)
        case let blueprint?:
            RenderingOptions(policy: ContentPolicy(blueprint.settings), hostname: hostname)
        case nil:
            RenderingOptions(
                policy: ContentPolicy(includesOriginal: true, includesBiometrics: false), hostname: hostname)
        }
    }
}
