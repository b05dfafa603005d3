import YAML

/// What `header:`, `enterprise:`, `structured_data:`, `bom:` and `resend:` say.
struct SyslogSettings: Sendable {
    var style = SyslogHeaderStyle.rfc5424
    var structuredData = StructuredData()
    var hasByteOrderMark = false
    /// Nil: what a connection took is finished.
    var resend: ResendLimits? = ResendLimits()

    static let messages = 1...100_000
    static let bytes = 1024...(64 << 20)
    static let times = Duration.seconds(1)...Duration.seconds(3600)

    init(_ reader: inout MappingReader, _ diagnostics: inout Diagnostics) {
        style =
            reader.optional("header")?.choice(of: SyslogHeaderStyle.allCases.map(\.rawValue), &diagnostics)
            .flatMap(SyslogHeaderStyle.init(rawValue:)) ?? style
        let markNode = reader.optional("bom")
        hasByteOrderMark = markNode?.boolean(&diagnostics) ?? false
        let enterprise = reader.optional("enterprise").flatMap { Self.enterprise($0, &diagnostics) }
        let dataNode = reader.optional("structured_data")
        if let dataNode {
            if enterprise == nil, reader["enterprise"] == nil {
                diagnostics.error(
                    at: dataNode.location,
                    "`structured_data:` needs `enterprise:`, your organisation's number at IANA, which is part of each name"
                )
            }
            structuredData = StructuredData(dataNode, enterprise: enterprise ?? "0", &diagnostics)
        }
        if dataNode == nil, let node = reader["enterprise"] {
            diagnostics.error(
                at: node.location,
                "`enterprise:` is the number behind the names of `structured_data:`, of which there is none")
        }
        if style == .rfc3164 {
            for case let (key, node?) in [("structured_data", dataNode), ("bom", markNode)] {
                diagnostics.error(at: node.location, "a header of RFC 3164 has no place for `\(key):`")
            }
        }
        if let node = reader.optional("resend") { resend = Self.resend(node, &diagnostics) }
    }

    private static func enterprise(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> String? {
        guard let text = node.string(&diagnostics), let scalar = node.scalar, scalar.isResolved else { return nil }
        let numbers = text.split(separator: ".", omittingEmptySubsequences: false)
        if text.utf8.count <= 20, numbers.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { 0x30...0x39 ~= $0 } }) {
            return text
        }
        diagnostics.error(
            at: node.location, "expected a private enterprise number such as 32473, found `\(scalar.displayText)`")
        return nil
    }

    private static func resend(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> ResendLimits? {
        if case .scalar(let scalar) = node.content {
            guard scalar.isResolved, scalar.text != "off" else { return nil }
            diagnostics.error(
                at: node.location,
                "expected off, or a mapping such as {messages: 20000, bytes: 4MiB, for: 30s}, found `\(scalar.displayText)`"
            )
            return nil
        }
        var limits = ResendLimits()
        guard var reader = MappingReader(node, "resend", &diagnostics) else { return limits }
        limits.messages = reader.optional("messages")?.integer(in: messages, &diagnostics) ?? limits.messages
        limits.bytes = reader.optional("bytes")?.integerOrSize(in: bytes, &diagnostics) ?? limits.bytes
        limits.time = reader.optional("for")?.duration(in: times, &diagnostics) ?? limits.time
        reader.finish(&diagnostics)
        return limits
    }
}
