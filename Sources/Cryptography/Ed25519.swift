import COpenSSL

/// Ed25519 (RFC 8032, pure, no context).
package enum Ed25519 {
    /// Bytes of a seed and of a public key.
    package static let keyLength = 32
    /// Bytes.
    package static let signatureLength = 64
}

/// `@unchecked Sendable`: OpenSSL only reads an `EVP_PKEY` after its creation, and counts references atomically.
@safe package final class Ed25519PrivateKey: @unchecked Sendable {
    private let key: OpaquePointer
    /// 32 bytes.
    package let publicKey: [UInt8]

    /// - Parameter seed: 32 bytes, RFC 8032's private key.
    package init(seed: [UInt8]) throws(CryptographyError) {
        guard seed.count == Ed25519.keyLength else { throw .invalidKey("Ed25519", "a private key has 32 bytes") }
        ERR_clear_error()
        guard let created = unsafe EVP_PKEY_new_raw_private_key(gatehouse_ed25519(), nil, seed, seed.count) else {
            throw .drained("EVP_PKEY_new_raw_private_key", code: .invalidKey)
        }
        var bytes = [UInt8](repeating: 0, count: Ed25519.keyLength)
        var length = bytes.count
        guard unsafe EVP_PKEY_get_raw_public_key(created, &bytes, &length) == 1 else {
            unsafe EVP_PKEY_free(created)
            throw .drained("EVP_PKEY_get_raw_public_key")
        }
        unsafe key = created
        publicKey = bytes
    }

    /// - Parameter seedAndPublicKey: 64 bytes, as NaCl and Standard Webhooks write a secret key; the halves must belong
    ///   together.
    package convenience init(seedAndPublicKey: [UInt8]) throws(CryptographyError) {
        guard seedAndPublicKey.count == 2 * Ed25519.keyLength else {
            throw .invalidKey("Ed25519", "a secret key with its public key has 64 bytes")
        }
        var seed = Array(seedAndPublicKey.prefix(Ed25519.keyLength))
        defer { cleanse(&seed) }
        try self.init(seed: seed)
        guard publicKey.elementsEqual(seedAndPublicKey.suffix(Ed25519.keyLength)) else {
            throw .invalidKey("Ed25519", "the public half does not belong to the secret half")
        }
    }

    deinit {
        unsafe EVP_PKEY_free(key)
    }

    /// The 64 bytes of the signature.
    package func sign(_ message: [UInt8]) -> [UInt8] {
        ERR_clear_error()
        let context = unsafe EVP_MD_CTX_new()
        defer { unsafe EVP_MD_CTX_free(context) }
        unsafe require(EVP_DigestSignInit(context, nil, nil, nil, key) == 1, "EVP_DigestSignInit")
        return unsafe [UInt8](unsafeUninitializedCapacity: Ed25519.signatureLength) { buffer, count in
            count = Ed25519.signatureLength
            unsafe require(
                EVP_DigestSign(context, buffer.baseAddress, &count, message, message.count) == 1, "EVP_DigestSign")
        }
    }
}

/// `@unchecked Sendable`: OpenSSL only reads an `EVP_PKEY` after its creation, and counts references atomically.
@safe package final class Ed25519PublicKey: @unchecked Sendable {
    private let key: OpaquePointer

    /// - Parameter bytes: 32 bytes.
    package init(_ bytes: [UInt8]) throws(CryptographyError) {
        guard bytes.count == Ed25519.keyLength else { throw .invalidKey("Ed25519", "a public key has 32 bytes") }
        ERR_clear_error()
        guard let created = unsafe EVP_PKEY_new_raw_public_key(gatehouse_ed25519(), nil, bytes, bytes.count) else {
            throw .drained("EVP_PKEY_new_raw_public_key", code: .invalidKey)
        }
        unsafe key = created
    }

    deinit {
        unsafe EVP_PKEY_free(key)
    }

    package func verify(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        guard signature.count == Ed25519.signatureLength else { return false }
        ERR_clear_error()
        // A refused signature leaves entries that a later call must not take for its own.
        defer { ERR_clear_error() }
        let context = unsafe EVP_MD_CTX_new()
        defer { unsafe EVP_MD_CTX_free(context) }
        unsafe require(EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1, "EVP_DigestVerifyInit")
        return unsafe EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }
}
