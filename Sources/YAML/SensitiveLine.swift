/// Whether a line of a file may hold a secret as it stands, so that it is not to be shown. It is a guess by the words on it,
/// misspelt ones too, as a misspelt key is what lines are mostly shown for. A line that is hidden for nothing costs little:
/// what is wrong, and where, is told all the same.
enum SensitiveLine {
    /// Anywhere on the line.
    private static let parts = [
        "secret", "token", "password", "passphrase", "passwd", "credential", "api_key", "webhook_url",
    ]
    /// As a word by itself, such as `auth` in `auth: {bearer: …}`.
    private static let words = ["auth", "authorization", "basic", "bearer", "cookie", "pwd"]

    static func isOne(_ line: String) -> Bool {
        let lowered = line.lowercased()
        if parts.contains(where: lowered.contains) || hasPrivateURL(lowered) || hasLiteralKey(lowered) { return true }
        return keyWords(lowered).contains { word in
            words.contains(word) || (word.count >= 4 && nearest(word, among: parts) != nil)
        }
    }

    /// The words of what stands before a colon: `sasl` and `pasword` of `{sasl.pasword: x}`.
    private static func keyWords(_ line: String) -> [String] {
        line.split(separator: ":", omittingEmptySubsequences: false).dropLast().flatMap { part in
            let key = part.reversed().prefix { !" {,[".contains($0) }.reversed()
            return String(key).split { !($0.isLetter || $0.isNumber) }.map(String.init)
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
