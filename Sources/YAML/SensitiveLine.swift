/// Whether a line of a file may hold a secret as it stands, so that it is not to be shown. It is a guess by the words on it,
/// misspelt ones too, as a misspelt key is what lines are mostly shown for. A line that is hidden for nothing costs little:
/// what is wrong, and where, is told all the same.
enum SensitiveLine {
    /// Anywhere on the line.
    private static let parts = [
        "secret", "token", "password", "passphrase", "passwd", "credential", "api_key", "webhook_url",
    ]
    /// As a word by itself, such as `auth` in `auth: {bearer: …}`.
    private static let words = ["auth", "authorization", "basic", "bearer", "cookie", "pwd", "signature"]

    static func isOne(_ line: String) -> Bool {
        let lowered = line.lowercased()
        if parts.contains(where: lowered.contains) || hasPrivateURL(lowered) || hasLiteralKey(lowered) { return true }
        let names = lowered.split { !($0.isLetter || $0.isNumber) }.map(String.init)
        return names.contains { name in
            words.contains(name) || (name.count >= 4 && nearest(name, among: parts + words) != nil)
        }
    }

    /// What stands before `@` and behind `?` in a URL may be a password or a key.
    private static func hasPrivateURL(_ line: String) -> Bool {
        line.contains("://") && line.contains { $0 == "@" || $0 == "?" }
    }

    /// `key: SOMETHING`, as of `hash:`, on a line of its own or behind that; what names fields, `key: "{visitor.email}"`, is
    /// no secret.
    private static func hasLiteralKey(_ line: String) -> Bool {
        guard let range = line.firstRange(of: "key:"),
            line.contains("hash") || line[..<range.lowerBound].allSatisfy({ $0 == " " })
        else { return false }
        return !line[range.upperBound...].drop { $0 == " " || $0 == "\"" || $0 == "'" }.hasPrefix("{")
    }
}
