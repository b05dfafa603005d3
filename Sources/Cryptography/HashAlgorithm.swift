import COpenSSL

/// The hash functions the senders use. SHA-1 is here for HMAC of old senders only.
package enum HashAlgorithm: String, Sendable, Hashable, CaseIterable {
    case sha1, sha256, sha512

    /// Bytes.
    package var digestLength: Int {
        switch self {
        case .sha1: 20
        case .sha256: 32
        case .sha512: 64
        }
    }

    package func hash(_ bytes: RawSpan) -> [UInt8] {
        var state = DigestState(self)
        state.update(bytes)
        return state.finish()
    }

    package func hash(_ bytes: [UInt8]) -> [UInt8] {
        unsafe hash(bytes.span.bytes)
    }

    var openSSLName: String {
        switch self {
        case .sha1: "SHA1"
        case .sha256: "SHA256"
        case .sha512: "SHA512"
        }
    }

    /// Fetched once: a fetch costs more than hashing a webhook.
    var fetched: FetchedDigest {
        switch self {
        case .sha1: FetchedDigest.sha1
        case .sha256: FetchedDigest.sha256
        case .sha512: FetchedDigest.sha512
        }
    }
}

/// An `EVP_MD`, kept for the life of the process.
///
/// `@unchecked Sendable`: a fetched `EVP_MD` is immutable and its reference count atomic (EVP_MD_fetch(3)).
@safe struct FetchedDigest: @unchecked Sendable {
    let pointer: OpaquePointer

    static let sha1 = FetchedDigest(.sha1)
    static let sha256 = FetchedDigest(.sha256)
    static let sha512 = FetchedDigest(.sha512)

    private init(_ algorithm: HashAlgorithm) {
        ERR_clear_error()
        let digest = unsafe EVP_MD_fetch(nil, algorithm.openSSLName, nil)
        unsafe require(digest != nil, "EVP_MD_fetch")
        unsafe pointer = digest!
    }
}
