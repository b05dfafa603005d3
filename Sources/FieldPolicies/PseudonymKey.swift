internal import Cryptography

/// What `hash:` replaces values with: the same value has the same pseudonym wherever the same key is used, and nobody
/// without the key can find the value by trying.
package struct PseudonymKey: Sendable {
    /// Nil while the reference the key stands behind has no value.
    private let key: HMACKey?

    /// Bytes of a key at the least.
    static let minimumLength = 16

    /// - Parameter secret: nil: not known here.
    init(_ secret: String?) {
        key = secret.flatMap { try? HMACKey(algorithm: .sha256, key: Array($0.utf8)) }
    }

    /// The first 16 bytes of HMAC-SHA-256, in lower-case hex.
    func pseudonym(of text: [UInt8]) -> String {
        key.map { Hex.encode($0.authenticate(text).prefix(16)) } ?? "***"
    }
}

extension String {
    /// Without regard to case and outer white space, as the rules compare texts.
    var folded: String {
        let scalars = unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(scalars[first...last]).lowercased()
    }
}
