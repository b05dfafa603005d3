import Cryptography

/// A secret and what it is called: the name of its `${…}` reference, or its position. Only the name is ever shown.
package struct NamedSecret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package let name: String
    package let value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }

    package var description: String { name }
    package var debugDescription: String { name }
    package var customMirror: Mirror { Mirror(self, children: ["name": name]) }
}

/// A secret that cannot serve its scheme. Names the secret, never its value.
package struct SignatureError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Empty when it is not about one secret.
    package let secretName: String
    package let message: String

    package init(secretName: String = "", message: String) {
        self.secretName = secretName
        self.message = message
    }

    package var description: String {
        secretName.isEmpty ? message : "secret \(secretName): \(message)"
    }
}

/// A secret made ready for one scheme.
struct SignatureKey: Sendable {
    enum Purpose {
        case signing, verifying
    }

    enum Material: Sendable {
        case shared(HMACKey)
        case secret(Ed25519PrivateKey)
        case `public`(Ed25519PublicKey)
    }

    static let maximumSecrets = 16

    let name: String
    /// Index in the scheme's variants.
    let variant: Int
    let material: Material

    static func prepare(
        _ secrets: [NamedSecret], for scheme: SignatureScheme, _ purpose: Purpose
    ) throws(SignatureError) -> [SignatureKey] {
        guard !secrets.isEmpty else { throw SignatureError(message: "\(scheme.name) needs a secret") }
        guard secrets.count <= maximumSecrets else {
            throw SignatureError(message: "more than \(maximumSecrets) secrets; remove those no longer in use")
        }
        var keys: [SignatureKey] = []
        for secret in secrets { keys.append(try SignatureKey(secret, scheme, purpose)) }
        return keys
    }

    private init(_ secret: NamedSecret, _ scheme: SignatureScheme, _ purpose: Purpose) throws(SignatureError) {
        guard !secret.value.isEmpty else { throw SignatureError(secretName: secret.name, message: "is empty") }
        let index =
            scheme.variants.firstIndex { !$0.keyPrefix.isEmpty && secret.value.hasPrefix($0.keyPrefix) } ?? 0
        let variant = scheme.variants[index]
        let encoded =
            secret.value.hasPrefix(variant.keyPrefix)
            ? secret.value.dropFirst(variant.keyPrefix.count) : Substring(secret.value)
        guard var bytes = variant.keyEncoding.decode(encoded) else {
            let after = variant.keyPrefix.isEmpty ? "" : " after \(variant.keyPrefix)"
            throw SignatureError(
                secretName: secret.name,
                message: "is not \(variant.keyEncoding.rawValue)\(after), as \(scheme.name) wants it")
        }
        defer { cleanse(&bytes) }
        guard !bytes.isEmpty else { throw SignatureError(secretName: secret.name, message: "is empty") }
        if let problem = Self.problem(secret.value, bytes.count, variant, scheme) {
            throw SignatureError(secretName: secret.name, message: problem)
        }
        name = secret.name
        self.variant = index
        do {
            material = try Self.material(variant, bytes, purpose)
        } catch let error as CryptographyError {
            throw SignatureError(secretName: secret.name, message: error.message)
        } catch {
            throw SignatureError(secretName: secret.name, message: "a public key cannot sign; give the secret key")
        }
    }

    /// Prefixes of the halves of a key pair, which no shared secret has.
    private static let pairPrefixes = ["whsk_", "whpk_"]
    /// Bytes that a key has at the least where nothing but its length tells it from a word that happens to decode.
    private static let minimumUnmarked = 16

    /// Why a text that can be decoded is not what the scheme signs with; nil when it is.
    private static func problem(
        _ text: String, _ length: Int, _ variant: SignatureVariant, _ scheme: SignatureScheme
    ) -> String? {
        guard case .hmac = variant.algorithm else { return nil }
        if let prefix = pairPrefixes.first(where: text.hasPrefix) {
            return "is half of a key pair (\(prefix)), and \(scheme.name) takes a secret that both sides have"
        }
        guard !variant.keyPrefix.isEmpty, !text.hasPrefix(variant.keyPrefix), length < minimumUnmarked else {
            return nil
        }
        return "has no \(variant.keyPrefix) and only \(length) bytes, so it is hardly a key of \(scheme.name); "
            + "`gatehouse keys generate` makes one"
    }

    private struct PublicKeyCannotSign: Error {}

    private static func material(_ variant: SignatureVariant, _ bytes: [UInt8], _ purpose: Purpose) throws -> Material {
        guard case .hmac(let algorithm) = variant.algorithm else {
            return try ed25519(variant.keyRole, bytes, purpose)
        }
        return .shared(try HMACKey(algorithm: algorithm, key: bytes))
    }

    /// 64 bytes are a secret key followed by its public key, wherever they stand.
    private static func ed25519(
        _ role: SignatureVariant.KeyRole, _ bytes: [UInt8], _ purpose: Purpose
    ) throws -> Material {
        switch (role, purpose) {
        case (.publicKey, .signing):
            throw PublicKeyCannotSign()
        case (.publicKey, .verifying):
            return .public(try Ed25519PublicKey(bytes))
        case (.byUse, .verifying) where bytes.count == Ed25519.keyLength:
            return .public(try Ed25519PublicKey(bytes))
        default:
            let key =
                bytes.count == Ed25519.keyLength
                ? try Ed25519PrivateKey(seed: bytes) : try Ed25519PrivateKey(seedAndPublicKey: bytes)
            return purpose == .signing ? .secret(key) : .public(try Ed25519PublicKey(key.publicKey))
        }
    }
}
