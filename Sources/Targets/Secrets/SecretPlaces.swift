/// Where secrets stand, by the names around them. What is not a secret and is taken for one costs little: it is hidden.
enum SecretPlaces {
    private static let words: [[UInt8]] = [
        "auth", "cookie", "credential", "key", "passphrase", "passwd", "password", "pwd", "secret", "session",
        "signature", "token",
    ].map { Array($0.utf8) }

    /// - Parameter path: the keys that lead to a value of a target's configuration, in any case.
    static func isSecret(_ path: [String], _ text: String) -> Bool {
        if path.first == "headers", let name = path.last, !TargetRendition.isHarmless(name) { return true }
        // What stands before @ and after ? in a URL may be a password or a token.
        if path.last == "url" || path.last == "address", text.utf8.contains(where: { $0 == 0x40 || $0 == 0x3F }) {
            return true
        }
        return path.contains { hasSecretName($0) }
    }

    /// Of an answer's header field.
    static func isSecret(header name: String) -> Bool { hasSecretName(name) && !hasSafeName(name) }

    /// Compares bytes: every field of every answer that is kept is asked about, and a search in a text costs a hundred
    /// times as much.
    private static func hasSecretName(_ name: String) -> Bool {
        let bytes = name.utf8.map { 0x41...0x5A ~= $0 ? $0 | 0x20 : $0 }
        return words.contains { word in
            bytes.indices.contains { bytes[$0] == word[0] && bytes[$0...].starts(with: word) }
        }
    }

    /// `WWW-Authenticate` says how to authenticate, not as whom (RFC 9110, section 11.6.1).
    private static func hasSafeName(_ name: String) -> Bool {
        ["www-authenticate", "proxy-authenticate"].contains(name.lowercased())
    }
}
