import Cryptography
import JSON
import YAML

/// A signed statement by which a client shows who it is (RFC 7523, section 2.2): what it is made of.
struct ClientAssertion: Sendable {
    let key: TokenSigningKey
    /// By which the service knows the key.
    var keyID: String?
    /// The SHA-256 of the key's certificate in DER, by which Microsoft's services know it (RFC 7515, section 4.1.8).
    var thumbprint: String?
    /// Whom it is for; nil: the token endpoint's URL.
    var audience: String?

    /// The keys that only have a meaning beside `private_key:`.
    static let keys = ["algorithm", "key_id", "certificate", "assertion_audience"]
    /// Seconds that it is good for. Services that take five minutes at most take it from a clock that is a minute fast.
    private static let lifetime: Int64 = 240

    /// The token, for one request.
    /// - Parameters:
    ///   - identifier: never the same twice.
    ///   - now: seconds since 1970.
    func token(
        clientID: String, tokenURL: String, identifier: String, now: Int64
    ) throws(CryptographyError) -> String {
        var header = JSONWriter()
        header.beginObject()
        header.member("alg", key.algorithm.rawValue)
        header.member("typ", "JWT")
        if let keyID { header.member("kid", keyID) }
        if let thumbprint { header.member("x5t#S256", thumbprint) }
        header.endObject()
        var claims = JSONWriter()
        claims.beginObject()
        claims.member("iss", clientID)
        claims.member("sub", clientID)
        claims.member("aud", audience ?? tokenURL)
        claims.member("jti", identifier)
        for (name, time) in [("iat", now), ("nbf", now), ("exp", now + Self.lifetime)] {
            claims.key(name)
            claims.integer(time)
        }
        claims.endObject()
        let signed = "\(Base64URL.encode(header.bytes)).\(Base64URL.encode(claims.bytes))"
        return "\(signed).\(Base64URL.encode(try key.sign(Array(signed.utf8))))"
    }
}

extension ClientAssertion {
    /// Reads `private_key:` and the keys beside it. Nil when an error was reported, or a value is not there yet.
    init?(_ keyNode: YAMLNode, _ reader: inout MappingReader, _ diagnostics: inout Diagnostics) {
        let algorithm = reader.optional("algorithm")?
            .choice(of: TokenAlgorithm.allCases.map(\.rawValue), &diagnostics).flatMap(TokenAlgorithm.init(rawValue:))
        let keyID = reader.optional("key_id")?.name(&diagnostics)
        let audience = reader.optional("assertion_audience")?.name(&diagnostics)
        var thumbprint: String?
        var certificate: (node: YAMLNode, text: String)?
        if let node = reader.optional("certificate"), let text = node.name(&diagnostics),
            node.scalar?.isResolved == true
        {
            thumbprint = Self.thumbprint(of: text)
            certificate = (node, text)
            if thumbprint == nil {
                diagnostics.error(at: node.location, "this is no certificate in PEM form: write \"${file:cert.pem}\"")
            }
        }
        guard let pem = keyNode.name(&diagnostics), keyNode.scalar?.isResolved == true else { return nil }
        var bytes = Array(pem.utf8)
        defer { cleanse(&bytes) }
        do throws(CryptographyError) {
            var key = try TokenSigningKey(pem: bytes, algorithm: algorithm)
            // Who knows a key by `x5t#S256` documents PSS padding (Microsoft, "Certificate credentials").
            if algorithm == nil, thumbprint != nil, key.algorithm == .rs256 {
                key = try TokenSigningKey(pem: bytes, algorithm: .ps256)
            }
            self.init(key: key, keyID: keyID, thumbprint: thumbprint, audience: audience)
        } catch {
            diagnostics.error(
                at: keyNode.location,
                "this key cannot sign: \(error.message); write \"${file:key.pem}\", the name of a file in PEM form")
            return nil
        }
        if let certificate, key.isKey(ofCertificate: Array(certificate.text.utf8)) == false {
            diagnostics.error(
                at: certificate.node.location,
                "this certificate is of another key than `private_key:`, so the service would not know the key by it")
        }
    }

    /// Of the first certificate in the text.
    private static func thumbprint(of pem: String) -> String? {
        guard let begin = pem.firstRange(of: "-----BEGIN CERTIFICATE-----"),
            let end = pem[begin.upperBound...].firstRange(of: "-----END CERTIFICATE-----")
        else { return nil }
        let digits = pem[begin.upperBound..<end.lowerBound].filter { !$0.isWhitespace }
        guard let der = Base64.decode(digits), !der.isEmpty else { return nil }
        return Base64URL.encode(SHA256.hash(der))
    }
}
