import Addresses
import YAML

/// Where a target sends to, read from a URL and checked.
struct Endpoint: Sendable, Hashable {
    /// Lower case.
    let scheme: String
    /// A name, or an address without brackets.
    let host: String
    let port: Int
    /// What stands before `@`, percent-decoded.
    let user: Credentials?
    /// For people: no user, no password, no query, nothing that a `${…}` stands for.
    let display: String
    /// Whether a `${…}` stands for the host, so that no message may name it.
    let hidesHost: Bool

    struct Credentials: Sendable, Hashable {
        var user: String
        var password: String
    }

    /// The URL to connect to: as configured, without user and password.
    let url: String

    /// Reads a URL, one of `schemes`, and reports what is wrong with it: a scheme that no such target has, an address
    /// the guard refuses. Nil without a report when its reference has no value yet.
    /// - Parameters:
    ///   - schemes: with their default ports; the first one is suggested.
    ///   - takesResource: false where a host and a port say all.
    init?(
        _ node: YAMLNode, schemes: KeyValuePairs<String, Int>, takesResource: Bool,
        guardedBy addressGuard: AddressGuard,
        _ diagnostics: inout Diagnostics
    ) {
        guard let scalar = node.scalar, let text = node.name(&diagnostics), scalar.isResolved else {
            if node.scalar == nil { _ = node.name(&diagnostics) }
            return nil
        }
        do throws(EndpointError) {
            self = try Endpoint(text, shown: scalar.reference ?? text, schemes, takesResource: takesResource)
        } catch {
            diagnostics.error(at: node.location, "`\(Self.publicText(scalar.reference ?? text))` \(error.message)")
            return nil
        }
        _ = Self.permits(host, node, addressGuard, &diagnostics)
    }

    /// Whether the guard lets a literal address, or a name that always means this machine, be reached; else that is reported.
    static func permits(
        _ host: String, _ node: YAMLNode, _ addressGuard: AddressGuard, _ diagnostics: inout Diagnostics
    ) -> Bool {
        guard let refusal = refusal(of: host, by: addressGuard) else { return true }
        let article = AddressGuard.article(refusal.kind)
        let cause = "is \(article) \(refusal.kind) address, which a target may reach only where it says so"
        let reference = node.scalar?.reference
        diagnostics.error(
            at: node.location,
            reference == nil
                ? "\(host) \(cause): add `\(refusal.suggestion)`"
                : "what `\(node.scalar?.displayText ?? "")` stands for \(cause): add its network to `allow:`")
        return false
    }

    /// - Parameter shown: the text with its references as written.
    private init(
        _ text: String, shown: String, _ schemes: KeyValuePairs<String, Int>, takesResource: Bool
    ) throws(EndpointError) {
        let parts = try URLParts(text, schemes: schemes.map(\.key))
        guard takesResource || (parts.resource.isEmpty && parts.userInfo == nil) else {
            throw EndpointError("takes a host and a port, and nothing else: \(schemes[0].key)://host:port")
        }
        scheme = parts.scheme
        host = parts.host
        port = parts.port ?? schemes.first { $0.key == parts.scheme }?.value ?? 0
        user = if let userInfo = parts.userInfo { try Self.credentials(userInfo) } else { nil }
        url = "\(parts.scheme)://\(parts.authority)\(parts.resource)"
        display = Self.publicText(shown)
        hidesHost = !shown.lowercased().contains(parts.host.lowercased())
    }

    /// What the guard says to a literal address, or to a name that always means this machine.
    private static func refusal(
        of host: String, by addressGuard: AddressGuard
    ) -> (kind: String, suggestion: String)? {
        let name = host.lowercased()
        let isLocal = name == "localhost" || name.hasSuffix(".localhost")
        let addresses = (isLocal ? ["127.0.0.1", "::1"] : [host]).compactMap { IPAddress($0) }
        let refused = addresses.compactMap { address in
            addressGuard.refusal(of: address).map { ($0, addressGuard.suggestion(for: address)) }
        }
        return refused.count < addresses.count ? nil : refused.first
    }

    private static func credentials(_ userInfo: String) throws(EndpointError) -> Credentials {
        let halves = userInfo.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let user = percentDecoded(halves[0]), let password = percentDecoded(halves.count == 2 ? halves[1] : "")
        else { throw EndpointError("has a user or password that is not percent-encoded as it must be") }
        return Credentials(user: user, password: password)
    }

    private static func percentDecoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// The text without what stands between `//` and `@`, and without what follows `?` or `#`.
    private static func publicText(_ text: String) -> String {
        var shown = text.prefix { $0 != "?" && $0 != "#" }
        if let slashes = shown.firstRange(of: "://") {
            let rest = shown[slashes.upperBound...]
            let authority = rest.prefix { $0 != "/" }
            if let at = authority.lastIndex(of: "@") {
                shown.replaceSubrange(slashes.upperBound...at, with: "")
            }
        }
        return displayable(url: String(shown))
    }

    /// A URL of any length that such a request was sent to, for people.
    static func shown(_ url: String) -> String { publicText(url) }

    /// As other texts in messages, but whole: by its end a URL says which record is meant.
    private static func displayable(url: String) -> String {
        var (shown, rest) = ("", Substring(url).unicodeScalars)
        while !rest.isEmpty {
            shown += YAML.displayable(String(rest.prefix(64)))
            rest = rest.dropFirst(64)
        }
        return shown
    }
}

struct EndpointError: Error {
    /// Follows the URL in a sentence.
    let message: String

    init(_ message: String) {
        self.message = message
    }
}

/// A URL taken apart (RFC 3986), strictly: what two parsers could read differently is refused.
private struct URLParts {
    let scheme: String
    let userInfo: String?
    /// Host and port as they stand there.
    let authority: String
    let host: String
    let port: Int?
    let resource: String

    init(_ text: String, schemes: [String]) throws(EndpointError) {
        let spelled = schemes.map { "\($0)://" }.joined(separator: ", ")
        guard text.utf8.count <= 2048 else { throw EndpointError("is longer than 2048 bytes") }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !#"\^`{|}<>""#.utf8.contains($0) }) else {
            throw EndpointError(
                "holds a character no URL has: percent-encode it, and write a host in its ASCII form (xn--…)")
        }
        guard let separator = text.firstRange(of: "://") else {
            throw EndpointError("must begin with one of \(spelled)")
        }
        scheme = text[..<separator.lowerBound].lowercased()
        guard schemes.contains(scheme) else { throw EndpointError("must begin with one of \(spelled)") }
        guard !text.contains("#") else { throw EndpointError("has a fragment (#…), which is never sent: leave it out") }

        let rest = text[separator.upperBound...]
        let whole = rest.prefix { $0 != "/" && $0 != "?" }
        var resource = String(rest[whole.endIndex...])
        if resource.hasPrefix("?") { resource = "/" + resource }
        self.resource = resource

        let at = whole.lastIndex(of: "@")
        userInfo = at.map { String(whole[..<$0]) }
        let hostAndPort = at.map { whole[whole.index(after: $0)...] } ?? whole
        self.authority = String(hostAndPort)
        guard !(userInfo ?? "").contains("@") else {
            throw EndpointError("has more than one @: percent-encode it as %40")
        }
        (host, port) = try Self.split(hostAndPort)
    }

    private static func split(_ text: Substring) throws(EndpointError) -> (host: String, port: Int?) {
        var host = text
        var portText: Substring?
        if text.hasPrefix("[") {
            guard let close = text.firstIndex(of: "]"), IPAddress(String(text[..<close].dropFirst())) != nil else {
                throw EndpointError("has no IPv6 address between its brackets")
            }
            host = text[..<close].dropFirst()
            let after = text[text.index(after: close)...]
            guard after.isEmpty || after.hasPrefix(":") else { throw EndpointError("has text between ] and its port") }
            portText = after.isEmpty ? nil : after.dropFirst()
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            portText = text[text.index(after: colon)...]
            try check(name: host)
        } else {
            try check(name: host)
        }
        guard let portText else { return (String(host), nil) }
        guard portText.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let port = Int(portText), 1...65535 ~= port else {
            throw EndpointError("has a port that is not a number from 1 to 65535")
        }
        return (String(host), port)
    }

    /// A host whose last label is a number is an IPv4 address for every resolver, in forms nobody means (`127.1`).
    private static func check(name: Substring) throws(EndpointError) {
        guard !name.isEmpty, name.utf8.count <= 253 else { throw EndpointError("has no host") }
        let isNameByte: (UInt8) -> Bool = { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        let inner = labels.last == "" ? labels.dropLast() : labels[...]
        guard name.utf8.allSatisfy(isNameByte), inner.allSatisfy({ !$0.isEmpty && $0.utf8.count <= 63 }) else {
            throw EndpointError("has a host that is no host name")
        }
        let last = inner.last?.lowercased() ?? ""
        let isNumber =
            last.utf8.allSatisfy { 0x30...0x39 ~= $0 }
            || (last.hasPrefix("0x") && UInt64(last.dropFirst(2), radix: 16) != nil)
        guard !isNumber || IPAddress(String(name)) != nil else {
            throw EndpointError("has a host that is neither a name nor an IPv4 address of four decimal numbers")
        }
    }
}
