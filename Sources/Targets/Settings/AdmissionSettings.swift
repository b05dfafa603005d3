package import YAML

/// `only_if` and `opt_out`: which of the events that routes bring a target takes. They are conditions in the language of
/// routes, read with the main files of routes, whose names they may use.
package struct AdmissionSettings: Sendable {
    /// What must hold of an event; nil: nothing.
    package var onlyIf: YAMLNode?
    /// What must not.
    package var optOut: YAMLNode?

    /// Nil when neither is there.
    init?(_ reader: inout MappingReader, _ diagnostics: inout Diagnostics) {
        onlyIf = reader.optional("only_if")
        optOut = reader.optional("opt_out").flatMap { Self.condition($0, &diagnostics) }
        if onlyIf == nil, optOut == nil { return nil }
    }

    /// The name of a list, or several, means: the visitor's e-mail address is in it.
    private static func condition(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> YAMLNode? {
        switch node.content {
        case .mapping: return node
        case .scalar where node.isNull:
            diagnostics.error(
                at: node.location,
                "`opt_out:` is empty; name one of the `lists:` of your routes, or write who is not to be sent")
            return nil
        case .scalar, .sequence:
            func member(_ name: String, _ value: YAMLNode) -> YAMLNode {
                let key = YAMLNode(
                    location: node.location, content: .scalar(YAMLScalar(text: name, isPlain: true)))
                return YAMLNode(location: node.location, content: .mapping([YAMLEntry(key: key, value: value)]))
            }
            return member("visitor", member("email", member("in_list", node)))
        }
    }
}

/// Stable: people's scripts rely on it. Why a target does not take an event that a route brings it.
package enum FilteredReason: String, Sendable, Hashable, CaseIterable {
    /// `only_if:` does not hold.
    case noConsent = "no_consent"
    /// Nothing in it says whose record it is.
    case noKey = "no_key"
    /// `opt_out:` holds.
    case optedOut = "opted_out"
    /// It is of none of the types in `events:`.
    case notEnabled = "event_not_enabled"
}
