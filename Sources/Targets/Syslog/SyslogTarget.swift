import Addresses
import HTTPClient
package import YAML

/// `syslog`: messages of RFC 5424, or RFC 3164, over UDP, TCP or TLS.
package struct SyslogTargetType: TargetType {
    package let name = "syslog"

    private static let schemes: KeyValuePairs = ["tls": 6514, "tcp": 514, "udp": 514]
    private static let defaultMaximum = 8000
    /// What a datagram holds over IPv4 (RFC 768).
    private static let largestDatagram = 65_507

    package init() {}

    package func decode(
        _ reader: inout MappingReader, _ settings: TargetSettings, _ diagnostics: inout Diagnostics
    ) -> (any TargetBlueprint)? {
        let format =
            reader.optional("format").flatMap { Formats.read($0, original: false, &diagnostics) } ?? JSONFormat()
        let facility = reader.optional("facility").flatMap { Self.facility($0, &diagnostics) } ?? SyslogFacility.local4
        let hostname = reader.optional("hostname").flatMap { Self.hostname($0, &diagnostics) }
        let framingNode = reader.optional("framing")
        let framing =
            framingNode?.choice(of: SyslogFraming.allCases.map(\.rawValue), &diagnostics)
            .flatMap(SyslogFraming.init(rawValue:)) ?? .octetCounting
        let maximumNode = reader.optional("max_bytes")
        let maximum =
            maximumNode.flatMap { $0.integerOrSize(in: 1024...(1 << 20), &diagnostics) } ?? Self.defaultMaximum
        let resendNode = reader["resend"]
        let form = SyslogSettings(&reader, &diagnostics)
        Self.refusePolicy(reader, &diagnostics)
        guard let address = reader.required("address", &diagnostics),
            let endpoint = Endpoint(
                address, schemes: Self.schemes, takesResource: false, guardedBy: settings.addressGuard, &diagnostics)
        else { return nil }
        if endpoint.scheme != "tls", let node = reader["tls"] {
            diagnostics.error(at: node.location, "`tls:` needs a tls:// address")
        }
        if endpoint.scheme == "udp" {
            if let framingNode {
                diagnostics.error(at: framingNode.location, "a datagram is one message: udp:// has no framing")
            }
            if let resendNode {
                diagnostics.error(
                    at: resendNode.location,
                    "udp:// has no connections that could break: `resend:` is for tcp:// and tls://")
            }
            if let maximumNode, maximum > Self.largestDatagram {
                diagnostics.error(at: maximumNode.location, "a datagram holds at most \(Self.largestDatagram) bytes")
            }
        }
        var settings = settings
        settings.resend = endpoint.scheme == "udp" ? nil : form.resend
        return SyslogBlueprint(
            settings: settings, endpoint: endpoint, form: form, format: format, facility: facility, hostname: hostname,
            framing: endpoint.scheme == "udp" ? nil : framing, maximumBytes: maximum)
    }

    private static func facility(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> Int? {
        guard let text = node.name(&diagnostics), let scalar = node.scalar, scalar.isResolved else { return nil }
        if let number = SyslogFacility.number(text) { return number }
        diagnostics.error(
            at: node.location,
            "expected a facility such as local4, or its number from 0 to 23, found `\(scalar.displayText)`",
            didYouMean: scalar.reference == nil ? nearest(text, among: SyslogFacility.all) : nil)
        return nil
    }

    private static func hostname(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> String? {
        guard let text = node.name(&diagnostics), let scalar = node.scalar, scalar.isResolved else { return nil }
        if SyslogHeader.printable(text, limit: 255) == text { return text }
        diagnostics.error(
            at: node.location,
            "a syslog host name is at most 255 visible ASCII characters without spaces, found `\(scalar.displayText)`")
        return nil
    }

    private static func refusePolicy(_ reader: MappingReader, _ diagnostics: inout Diagnostics) {
        if let node = reader["original"], node.scalar?.text != "false" {
            diagnostics.error(at: node.location, "syslog never carries the sender's original payload")
        }
        if let node = reader["biometrics"] {
            diagnostics.error(at: node.location, "syslog never carries biometrics")
        }
    }
}

extension YAMLNode {
    /// A number of bytes within limits, with a unit or without.
    func integerOrSize(in range: ClosedRange<Int>, _ diagnostics: inout Diagnostics) -> Int? {
        guard let value = size(&diagnostics) else { return nil }
        guard range.contains(value) else {
            diagnostics.error(
                at: location,
                "expected \(range.lowerBound) to \(range.upperBound) bytes, found `\(scalar?.displayText ?? "")`")
            return nil
        }
        return value
    }
}

struct SyslogBlueprint: TargetBlueprint {
    let settings: TargetSettings
    let endpoint: Endpoint
    let form: SyslogSettings
    let format: any EventFormat
    let facility: Int
    /// Nil: the machine's.
    let hostname: String?
    /// Nil for datagrams.
    let framing: SyslogFraming?
    let maximumBytes: Int

    var destination: String { endpoint.display }

    func make(_ context: TargetContext) throws -> any Target {
        let renderer = renderer(hostname: context.hostname)
        return framing == nil
            ? SyslogDatagramTarget(self, renderer, context) : SyslogStreamTarget(self, renderer, context)
    }

    /// - Parameter hostname: the machine's.
    func renderer(hostname machine: String) -> SyslogRenderer {
        SyslogRenderer(
            header: SyslogHeader(style: form.style, facility: facility, hostname: hostname ?? machine),
            structuredData: form.structuredData, format: format, hasByteOrderMark: form.hasByteOrderMark,
            maximumBytes: maximumBytes, framing: framing)
    }
}
