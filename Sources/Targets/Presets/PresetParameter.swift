import YAML

/// What a preset leaves to whoever uses it: a key of the target.
package struct PresetParameter: Sendable {
    /// What a value must look like.
    package enum Kind: String, Sendable, CaseIterable {
        /// One line, with no place for an event's value.
        case text
        /// As `text`, and nobody's business.
        case secret
        /// Letters, digits and `-`, `_`, `.`, `:`, `@`: what can stand anywhere.
        case word
        /// `https://`, or `http://` with a warning, a host, and perhaps a port.
        case origin
        case url
        /// As `url`, and nobody's business: only by a `${…}`, because URLs are shown.
        case secretURL = "secret_url"
        /// A field's name, with filters.
        case field
        /// A body template, or a part of one.
        case template
    }

    package let name: String
    /// For people.
    package let description: String
    package let kind: Kind
    package let isRequired: Bool
    /// Words, one of which it must be; empty: any.
    package let choices: [String]
    /// Nil: left out where it is not given.
    let fallback: YAMLNode?

    /// `default:` where it is one text, with the places of other parameters as they are written.
    package var fallbackText: String? { fallback?.scalar?.text }
}

extension PresetParameter {
    private static let reserved = ["type", "preset", "description", "documentation", "parameters"]

    /// Reads one of `parameters:`. Nil when an error was reported.
    init?(_ entry: YAMLEntry, _ diagnostics: inout Diagnostics) {
        guard var reader = MappingReader(entry.value, "parameter \(displayable(entry.name))", &diagnostics) else {
            return nil
        }
        let description = reader.required("description", &diagnostics)?.name(&diagnostics)
        let kind =
            reader.optional("kind")?.choice(of: Kind.allCases.map(\.rawValue), &diagnostics)
            .flatMap(Kind.init(rawValue:)) ?? .text
        let isRequired = reader.optional("required")?.boolean(&diagnostics) ?? false
        choices = reader.optional("one_of")?.strings(&diagnostics) ?? []
        fallback = reader.optional("default")
        reader.finish(&diagnostics)
        let isName =
            !entry.name.isEmpty
            && entry.name.utf8.allSatisfy { 0x61...0x7A ~= $0 || 0x30...0x39 ~= $0 || $0 == UInt8(ascii: "_") }
        if !isName || Self.reserved.contains(entry.name) {
            diagnostics.error(
                at: entry.key.location,
                isName
                    ? "`\(entry.name)` already means something else, and cannot be a parameter"
                    : "a parameter's name has small letters, digits and `_`")
            return nil
        }
        if isRequired, let fallback {
            diagnostics.error(at: fallback.location, "what is required has no default")
        }
        guard let description else { return nil }
        name = entry.name
        self.description = description
        self.kind = kind
        self.isRequired = isRequired
    }

    /// Whether a value is of this kind; reports what is wrong with it.
    func check(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> Bool {
        if kind == .template {
            guard node.isNull else { return true }
            diagnostics.error(at: node.location, "`\(name):` is here and says nothing; remove it, or give it a value")
            return false
        }
        if !choices.isEmpty { return node.choice(of: choices, &diagnostics) != nil || node.scalar?.isResolved == false }
        guard let text = node.name(&diagnostics), let scalar = node.scalar else { return false }
        if kind == .secretURL, scalar.reference == nil {
            diagnostics.error(
                at: node.location,
                "`\(name):` is a secret by itself, and the URLs of targets are shown: write ${env:NAME} or ${file:PATH}"
            )
            return false
        }
        guard scalar.isResolved, let problem = problem(with: text) else {
            warnOfClearText(text, node, &diagnostics)
            return true
        }
        let suggestion = scalar.reference == nil ? correction(of: text) : nil
        diagnostics.error(
            at: node.location, "`\(name):` \(problem), found `\(scalar.displayText)`", didYouMean: suggestion)
        return false
    }

    private func warnOfClearText(_ url: String, _ node: YAMLNode, _ diagnostics: inout Diagnostics) {
        guard [.origin, .url, .secretURL].contains(kind), url.hasPrefix("http://") else { return }
        let host = url.dropFirst(7)
        guard !["127.", "[::1]", "localhost"].contains(where: { host.hasPrefix($0) }) else { return }
        diagnostics.warning(
            at: node.location,
            "`\(name):` is http://, so that everybody on the way can read what is sent, secrets too: write https://")
    }

    /// Follows the parameter's name in a sentence.
    private func problem(with text: String) -> String? {
        let hasBrace = text.contains("{") || text.contains("}")
        switch kind {
        case .template: return nil
        case .secret: return nil
        case .text:
            return hasBrace || text.utf8.contains { $0 < 0x20 || $0 == 0x7F } ? "is one line without braces" : nil
        case .word:
            return text.utf8.allSatisfy(Self.isWordByte) ? nil : "has letters, digits and `-`, `_`, `.`, `:`, `@` only"
        case .field:
            return hasBrace ? "is a field's name, such as visitor.email, without braces" : nil
        case .url, .secretURL:
            return !hasBrace && Self.rest(of: text) != nil ? nil : "is a URL that begins with https://"
        case .origin:
            guard let host = Self.rest(of: text), !host.isEmpty, !hasBrace, !host.contains(where: "/?#@".contains)
            else { return "is https:// and a host, and perhaps a port" }
            return nil
        }
    }

    /// What was probably meant.
    private func correction(of text: String) -> String? {
        guard kind == .origin || kind == .url, !text.contains("{") else { return nil }
        let rest = Self.rest(of: text) ?? text[...]
        let host = kind == .url ? rest : rest.prefix { !"/?#".contains($0) }
        guard !host.isEmpty, !host.contains(where: "@ ".contains), host.contains(".") else { return nil }
        return "\(text.hasPrefix("http://") ? "http" : "https")://\(host)"
    }

    /// What follows the scheme.
    private static func rest(of url: String) -> Substring? {
        for scheme in ["https://", "http://"] where url.hasPrefix(scheme) { return url.dropFirst(scheme.count) }
        return nil
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "-_.:@".utf8.contains(byte)
        }
    }
}
