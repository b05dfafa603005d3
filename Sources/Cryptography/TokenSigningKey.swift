import COpenSSL

/// How a JSON Web Token is signed (RFC 7518, section 3.1).
package enum TokenAlgorithm: String, Sendable, Hashable, CaseIterable {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    case rs256 = "RS256"
    /// RSASSA-PSS with SHA-256, a salt as long as the hash.
    case ps256 = "PS256"
    /// ECDSA on P-256 with SHA-256.
    case es256 = "ES256"
}

/// A private key, RSA or P-256, that signs JSON Web Tokens.
///
/// `@unchecked Sendable`: OpenSSL only reads an `EVP_PKEY` after its creation, and counts references atomically.
@safe package final class TokenSigningKey: @unchecked Sendable {
    private let key: OpaquePointer
    package let algorithm: TokenAlgorithm

    /// Bits of the shortest RSA key (RFC 7518, section 3.3).
    private static let leastBits: Int32 = 2048

    /// - Parameters:
    ///   - pem: a private key in PEM form, PKCS#8 or the older forms, not encrypted; the caller may `cleanse` its copy.
    ///   - algorithm: nil: RS256 for an RSA key, ES256 for a P-256 one.
    package init(pem: [UInt8], algorithm: TokenAlgorithm? = nil) throws(CryptographyError) {
        ERR_clear_error()
        let key = unsafe try Self.read(pem)
        do throws(CryptographyError) {
            self.algorithm = unsafe try Self.check(key, algorithm)
        } catch {
            unsafe EVP_PKEY_free(key)
            throw error
        }
        unsafe self.key = key
    }

    deinit {
        unsafe EVP_PKEY_free(key)
    }

    private static func read(_ pem: [UInt8]) throws(CryptographyError) -> OpaquePointer {
        guard let buffer = unsafe BIO_new_mem_buf(pem, Int32(clamping: pem.count)) else {
            throw .drained("BIO_new_mem_buf")
        }
        defer { unsafe BIO_free(buffer) }
        // A pass phrase is given, so that an encrypted key fails and asks nobody on the terminal.
        var phrase: [UInt8] = [0]
        let key = unsafe phrase.withUnsafeMutableBytes { phrase in
            unsafe PEM_read_bio_PrivateKey(buffer, nil, nil, phrase.baseAddress)
        }
        guard let key = unsafe key else {
            ERR_clear_error()
            throw .invalidKey("PEM_read_bio_PrivateKey", "it is no private key in PEM form, or it is encrypted")
        }
        return unsafe key
    }

    private static func check(
        _ key: OpaquePointer, _ wanted: TokenAlgorithm?
    ) throws(CryptographyError) -> TokenAlgorithm {
        let isRSA = unsafe EVP_PKEY_is_a(key, "RSA") == 1
        let isEC = unsafe EVP_PKEY_is_a(key, "EC") == 1
        guard isRSA || isEC else { throw .invalidKey("key", "tokens are signed with an RSA or a P-256 key") }
        if isRSA, unsafe EVP_PKEY_get_bits(key) < leastBits {
            throw .invalidKey("key", "an RSA key for tokens has at least \(leastBits) bits")
        }
        if isEC {
            var name = [CChar](repeating: 0, count: 80)
            var length = 0
            let isNamed = unsafe EVP_PKEY_get_group_name(key, &name, name.count, &length) == 1
            let curve = String(decoding: name.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard isNamed, ["prime256v1", "P-256"].contains(curve) else {
                throw .invalidKey("key", "an elliptic key for tokens is one of the curve P-256")
            }
        }
        let algorithm = wanted ?? (isRSA ? .rs256 : .es256)
        guard isRSA == (algorithm != .es256) else {
            throw .invalidKey("key", "\(algorithm.rawValue) does not go with \(isRSA ? "an RSA" : "a P-256") key")
        }
        return algorithm
    }

    /// Whether the first certificate of a text in PEM form is this key's; nil when none can be read.
    package func isKey(ofCertificate pem: [UInt8]) -> Bool? {
        guard let buffer = unsafe BIO_new_mem_buf(pem, Int32(clamping: pem.count)) else { return nil }
        defer {
            unsafe BIO_free(buffer)
            // A key that does not fit leaves an error behind.
            ERR_clear_error()
        }
        guard let certificate = unsafe PEM_read_bio_X509(buffer, nil, nil, nil) else { return nil }
        defer { unsafe X509_free(certificate) }
        return unsafe X509_check_private_key(certificate, key) == 1
    }

    /// The signature as a token carries it: of ES256 the two numbers one after the other, 32 bytes each (RFC 7518,
    /// section 3.4).
    package func sign(_ message: [UInt8]) throws(CryptographyError) -> [UInt8] {
        ERR_clear_error()
        let context = unsafe EVP_MD_CTX_new()
        defer { unsafe EVP_MD_CTX_free(context) }
        var keyContext: OpaquePointer?
        guard unsafe EVP_DigestSignInit(context, &keyContext, EVP_sha256(), nil, key) == 1 else {
            throw .drained("EVP_DigestSignInit")
        }
        if algorithm == .ps256 {
            guard unsafe EVP_PKEY_CTX_set_rsa_padding(keyContext, RSA_PKCS1_PSS_PADDING) == 1,
                unsafe EVP_PKEY_CTX_set_rsa_pss_saltlen(keyContext, RSA_PSS_SALTLEN_DIGEST) == 1
            else { throw .drained("EVP_PKEY_CTX_set_rsa_padding") }
        }
        var length = 0
        guard unsafe EVP_DigestSign(context, nil, &length, message, message.count) == 1 else {
            throw .drained("EVP_DigestSign")
        }
        var signature = [UInt8](repeating: 0, count: length)
        guard unsafe EVP_DigestSign(context, &signature, &length, message, message.count) == 1 else {
            throw .drained("EVP_DigestSign")
        }
        signature.removeLast(signature.count - length)
        guard algorithm == .es256 else { return signature }
        guard let numbers = Self.numbers(of: signature) else {
            throw .invalidKey("EVP_DigestSign", "a signature of another form than it should have")
        }
        return numbers
    }

    /// Of `SEQUENCE { INTEGER r, INTEGER s }` in DER: both, each filled up to 32 bytes.
    private static func numbers(of der: [UInt8]) -> [UInt8]? {
        guard der.count > 2, der[0] == 0x30, Int(der[1]) == der.count - 2 else { return nil }
        var rest = der.dropFirst(2)
        var result: [UInt8] = []
        for _ in 0..<2 {
            guard rest.popFirst() == 0x02, let length = rest.popFirst(), rest.count >= Int(length) else { return nil }
            let digits = rest.prefix(Int(length)).drop { $0 == 0 }
            rest = rest.dropFirst(Int(length))
            guard digits.count <= 32 else { return nil }
            result += [UInt8](repeating: 0, count: 32 - digits.count) + digits
        }
        return rest.isEmpty ? result : nil
    }
}
