import Addresses

/// The host and port of a URL, as far as they are needed beside libcurl's own reading of it.
enum Authority {
    /// The host without brackets; empty when there is none.
    static func host(of url: String) -> String {
        split(url)?.host ?? ""
    }

    /// Host and port, with the scheme's default port.
    static func split(_ url: String) -> (host: String, port: Int)? {
        guard let scheme = scheme(of: url) else { return nil }
        let rest = url.utf8.dropFirst(scheme.utf8.count + 3)
        let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }
        let authority = Substring(rest[..<(end ?? rest.endIndex)])
        let defaultPort = scheme == "https" ? 443 : 80
        if authority.first == "[" {
            guard let close = authority.firstIndex(of: "]") else { return nil }
            let host = authority[authority.index(after: authority.startIndex)..<close]
            return port(authority[authority.index(after: close)...], or: defaultPort).map { (String(host), $0) }
        }
        let colon = authority.firstIndex(of: ":") ?? authority.endIndex
        return port(authority[colon...], or: defaultPort).map { (String(authority[..<colon]), $0) }
    }

    /// - Throws: `url` where the text is no URL for this client; the message does not repeat it, since paths hold secrets.
    static func check(url: String, tls: TLSOptions) throws(TransportFailure) {
        guard let scheme = scheme(of: url) else {
            throw TransportFailure(.url, "the URL must begin with http:// or https://")
        }
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
            throw TransportFailure(.url, "the URL holds white space or a control character: percent-encode it")
        }
        guard let (host, _) = split(url), !host.isEmpty else {
            throw TransportFailure(.url, "the URL names no host, or its port is no number from 1 to 65535")
        }
        guard !host.contains("%") else {
            throw TransportFailure(.url, "the URL's host holds a percent sign: zones and encoded names are not taken")
        }
        guard !host.contains("@") else {
            throw TransportFailure(.url, "the URL holds credentials: use an Authorization header")
        }
        guard scheme == "https" || tls.pinSHA256 == nil else {
            throw TransportFailure(.tlsPin, "a pinned certificate needs an https URL")
        }
    }

    /// Whether the text can stand as a host in a URL without changing what the URL means.
    static func isHost(_ text: String) -> Bool {
        if IPAddress(text) != nil { return true }
        return (1...253).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: byte >= 0x80
                }
            }
    }

    private static func scheme(of url: String) -> String? {
        let lowered = url.prefix(8).lowercased()
        return lowered.hasPrefix("https://") ? "https" : lowered.hasPrefix("http://") ? "http" : nil
    }

    private static func port(_ text: Substring, or defaultPort: Int) -> Int? {
        if text.isEmpty { return defaultPort }
        let digits = text.dropFirst()
        guard text.first == ":", digits.utf8.count <= 5, let port = UInt16(digits), port > 0 else { return nil }
        return Int(port)
    }
}
