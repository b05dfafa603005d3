internal import Addresses
internal import YAML

/// Reads what texts are compared with: patterns, regular expressions and networks; one or a list.
struct PatternReader {
    let operation: RuleOperator
    let field: AskedField
    /// Where expressions that are written twice are found again.
    let names: RuleNames?

    func patterns(
        _ value: YAMLNode, _ relation: TextRelation, _ diagnostics: inout Diagnostics
    ) -> [TextPattern]? {
        read(value, &diagnostics) { node, scalar, diagnostics in
            guard !scalar.text.isEmpty else {
                reportEmpty(node, &diagnostics)
                return nil
            }
            if relation == .domain { return domain(node, scalar, &diagnostics) }
            return TextPattern(text: scalar.text, folded: Self.folded(scalar.text))
        }
    }

    func expressions(_ value: YAMLNode, _ diagnostics: inout Diagnostics) -> [RegularExpression]? {
        read(value, &diagnostics) { node, scalar, diagnostics in
            guard !scalar.text.isEmpty else {
                reportEmpty(node, &diagnostics)
                return nil
            }
            do throws(RegularExpressionError) {
                if let names { return try names.expression(scalar.text) }
                return try RegularExpression(scalar.text)
            } catch {
                diagnostics.error(
                    at: error.offset.map { Self.place(node, scalar, $0) } ?? node.location,
                    "`\(scalar.displayText)` is no regular expression (RE2): \(error.message)")
                return nil
            }
        }
    }

    /// The place of a character of a scalar's text in the file; where it cannot be told, the scalar's.
    private static func place(_ node: YAMLNode, _ scalar: YAMLScalar, _ offset: Int) -> SourceLocation {
        let before = scalar.text.unicodeScalars.prefix(offset)
        switch scalar.style {
        case .plain: return node.location.advanced(by: offset)
        case .singleQuoted: return node.location.advanced(by: 1 + offset + before.count { $0 == "'" })
        case .doubleQuoted:
            let escaped = before.count { $0 == "\\" || $0 == "\"" || $0.value < 0x20 }
            return node.location.advanced(by: 1 + offset + escaped)
        case .block: return node.location
        }
    }

    func networks(_ value: YAMLNode, _ diagnostics: inout Diagnostics) -> [IPNetwork]? {
        read(value, &diagnostics) { node, scalar, diagnostics in
            guard let network = IPNetwork(scalar.text) else {
                diagnostics.error(
                    at: node.location,
                    "`cidr:` takes a network such as 10.0.0.0/8 or fd00::/8, not `\(scalar.displayText)`",
                    didYouMean: IPNetwork.nearest(to: scalar.text)?.description)
                return nil
            }
            return Self.unmapped(network)
        }
    }

    private func read<Value>(
        _ value: YAMLNode, _ diagnostics: inout Diagnostics,
        _ one: (YAMLNode, YAMLScalar, inout Diagnostics) -> Value?
    ) -> [Value]? {
        let reader = LiteralReader(path: field.path, name: field.name, exactly: false)
        guard let nodes = reader.nodes(value, &diagnostics) else { return nil }
        let values = nodes.compactMap { node in
            reader.scalar(node, &diagnostics).flatMap { one(node, $0, &diagnostics) }
        }
        return values.count == nodes.count ? values : nil
    }

    private func reportEmpty(_ node: YAMLNode, _ diagnostics: inout Diagnostics) {
        diagnostics.error(
            at: node.location,
            "`\(operation.rawValue):` is empty; for a text without characters write {equals: \"\"}, for any text "
                + "{is: present}")
    }

    /// Folded; outer spaces stay.
    private static func folded(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        var folded: [UInt8] = []
        TextFolding.fold(bytes, bytes.indices, into: &folded)
        return folded
    }

    /// `acme.com`, or `.acme.com` for the domains below it.
    private func domain(_ node: YAMLNode, _ scalar: YAMLScalar, _ diagnostics: inout Diagnostics) -> TextPattern? {
        let text = scalar.text
        if let sign = text.lastIndex(of: "@") {
            let rest = String(text[text.index(after: sign)...])
            diagnostics.error(
                at: node.location, "`domain:` takes what follows the @", didYouMean: rest.isEmpty ? nil : rest)
            return nil
        }
        if text.hasPrefix("*") {
            let rest = String(text.drop { $0 == "*" || $0 == "." })
            diagnostics.error(
                at: node.location, "`domain:` takes no `*`; a dot in front means every domain below",
                didYouMean: rest.isEmpty ? nil : "." + rest)
            return nil
        }
        let folded = TextFolding.key(text)
        let labels = folded.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let named = labels.first?.isEmpty == true ? labels.dropFirst() : labels[...]
        let isWritten =
            !named.isEmpty
            && named.allSatisfy { label in
                !label.isEmpty && !label.contains { $0 <= 0x20 || UInt8(ascii: "/") == $0 || UInt8(ascii: ":") == $0 }
            }
        guard isWritten else {
            diagnostics.error(
                at: node.location,
                "`domain:` takes a domain such as acme.com, or .acme.com for those below it, not `\(scalar.displayText)`"
            )
            return nil
        }
        return TextPattern(text: text, folded: folded)
    }

    /// An IPv4 network written as IPv6; addresses are unmapped before they are compared.
    private static func unmapped(_ network: IPNetwork) -> IPNetwork {
        guard network.prefixLength >= 96, !network.base.isIPv4, network.base.unmapped.isIPv4 else { return network }
        return IPNetwork(around: network.base.unmapped, prefixLength: network.prefixLength - 96)
    }
}
