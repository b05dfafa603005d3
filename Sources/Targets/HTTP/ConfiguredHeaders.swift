import HTTPTypes
import YAML

/// `headers:` of a target, checked so that nothing in them can end a header line or take the place of one of ours.
enum ConfiguredHeaders {
    /// Bytes, all names and values together.
    private static let maximumSize = 16 << 10

    /// Those that frame the message or belong to one connection (RFC 9110, section 7.6.1).
    private static let framing = [
        "connection", "content-encoding", "content-length", "expect", "host", "keep-alive", "proxy-authenticate",
        "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    ]

    /// Whether the header is none that a configuration may write.
    /// - Parameter name: in lower case.
    static func isFraming(_ name: String) -> Bool { framing.contains(name) }

    /// - Parameter reserved: names this target writes itself, in lower case; one that ends in `-` stands for every name
    ///   that begins so.
    static func decode(
        _ node: YAMLNode?, reserved: [String], _ diagnostics: inout Diagnostics
    ) -> [HeaderField] {
        var fields: [HeaderField] = []
        var seen: Set<String> = []
        var size = 0
        for entry in node?.mapping("headers", &diagnostics) ?? [] {
            let name = entry.name
            guard checkName(entry.key, name, reserved, &diagnostics) else { continue }
            guard seen.insert(name.lowercased()).inserted else {
                diagnostics.error(at: entry.key.location, "the header \(name) stands here twice")
                continue
            }
            guard let value = value(entry.value, name, &diagnostics) else { continue }
            size += name.utf8.count + value.utf8.count
            fields.append(HeaderField(name, value))
        }
        if let node, size > maximumSize {
            diagnostics.error(at: node.location, "these headers are larger than \(maximumSize) bytes")
        }
        return fields
    }

    /// A header's value or a part of it; nil, and an error, when it is not a text or would end the line.
    static func value(_ node: YAMLNode, _ name: String, _ diagnostics: inout Diagnostics) -> String? {
        guard let value = node.string(&diagnostics) else { return nil }
        guard isValue(value) else {
            diagnostics.error(
                at: node.location,
                "the value of \(name) holds a line end or another control character, or space around it; take it out")
            return nil
        }
        return value
    }

    private static func checkName(
        _ key: YAMLNode, _ name: String, _ reserved: [String], _ diagnostics: inout Diagnostics
    ) -> Bool {
        guard isToken(name) else {
            diagnostics.error(at: key.location, "`\(displayable(name))` is no header name")
            return false
        }
        let lower = name.lowercased()
        if framing.contains(lower) {
            diagnostics.error(at: key.location, "\(name) belongs to the connection and cannot be set")
            return false
        }
        if reserved.contains(where: { $0.hasSuffix("-") ? lower.hasPrefix($0) : lower == $0 }) {
            diagnostics.error(at: key.location, "\(name) is written by the target itself and cannot be set")
            return false
        }
        return true
    }

    /// RFC 9110, section 5.6.2.
    private static func isToken(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 128
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }

    /// RFC 9110, section 5.5: no control character but a tab, and no white space at the ends.
    private static func isValue(_ value: String) -> Bool {
        value.utf8.allSatisfy { ($0 >= 0x20 && $0 != 0x7F) || $0 == 0x09 }
            && value.utf8.first != 0x20 && value.utf8.first != 0x09 && value.utf8.last != 0x20
            && value.utf8.last != 0x09
    }
}
