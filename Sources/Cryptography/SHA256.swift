import COpenSSL

/// SHA-256 (FIPS 180-4), incremental or in one call.
package struct SHA256: ~Copyable, Sendable {
    private var state: DigestState

    package init() {
        state = DigestState(.sha256)
    }

    package mutating func update(_ bytes: RawSpan) {
        state.update(bytes)
    }

    package mutating func update(_ bytes: [UInt8]) {
        unsafe state.update(bytes.span.bytes)
    }

    /// `bytes` is only read during the call.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        unsafe state.update(bytes.bytes)
    }

    package mutating func update(_ text: String) {
        unsafe state.update(text.utf8Span.span.bytes)
    }

    /// The 32 bytes of the digest. What is added afterwards starts a new digest.
    package mutating func finish() -> [UInt8] {
        state.finish()
    }

    package static func hash(_ bytes: [UInt8]) -> [UInt8] {
        HashAlgorithm.sha256.hash(bytes)
    }

    package static func hash(_ text: String) -> [UInt8] {
        var state = DigestState(.sha256)
        unsafe state.update(text.utf8Span.span.bytes)
        return state.finish()
    }

    /// The digest of the concatenated parts.
    package static func hash(_ parts: UnsafeRawBufferPointer...) -> [UInt8] {
        var state = DigestState(.sha256)
        for index in unsafe parts.indices { unsafe state.update(parts[index].bytes) }
        return state.finish()
    }
}

/// A digest under way.
///
/// `@unchecked Sendable`: the context has one owner and OpenSSL ties it to no thread.
@safe struct DigestState: ~Copyable, @unchecked Sendable {
    private let context: OpaquePointer
    private let algorithm: HashAlgorithm

    init(_ algorithm: HashAlgorithm) {
        let created = unsafe EVP_MD_CTX_new()
        unsafe require(created != nil, "EVP_MD_CTX_new")
        unsafe context = created!
        self.algorithm = algorithm
        begin()
    }

    deinit {
        unsafe EVP_MD_CTX_free(context)
    }

    mutating func update(_ bytes: RawSpan) {
        guard !bytes.isEmpty else { return }
        unsafe bytes.withUnsafeBytes { buffer in
            unsafe require(EVP_DigestUpdate(context, buffer.baseAddress, buffer.count) == 1, "EVP_DigestUpdate")
        }
    }

    mutating func finish() -> [UInt8] {
        let digest = unsafe [UInt8](unsafeUninitializedCapacity: algorithm.digestLength) { buffer, count in
            unsafe require(EVP_DigestFinal_ex(context, buffer.baseAddress, nil) == 1, "EVP_DigestFinal_ex")
            count = algorithm.digestLength
        }
        begin()
        return digest
    }

    private func begin() {
        unsafe require(EVP_DigestInit_ex(context, algorithm.fetched.pointer, nil) == 1, "EVP_DigestInit_ex")
    }
}
