import COpenSSL
import Synchronization

/// A secret ready to authenticate messages (HMAC, RFC 2104). Any number of threads may use one at once.
///
/// The key is scheduled once; a message takes a spare context that holds it, or duplicates the first. OpenSSL overwrites
/// the key when it frees a context.
///
/// `@unchecked Sendable`: after `init` the keyed context is only ever the source of EVP_MAC_CTX_dup, which reads it, and
/// a spare one has one owner.
@safe package final class HMACKey: @unchecked Sendable {
    package let algorithm: HashAlgorithm
    private let context: OpaquePointer
    private let spare = Mutex<[SpareContext]>([])

    /// As many as threads may authenticate at once; duplicating costs more than the hash of a webhook.
    private static let maximumSpare = 16

    /// - Parameter key: not empty; the caller may `cleanse` its own copy afterwards.
    package init(algorithm: HashAlgorithm, key: [UInt8]) throws(CryptographyError) {
        guard !key.isEmpty else { throw .invalidKey("HMAC", "an empty key authenticates nothing") }
        self.algorithm = algorithm
        ERR_clear_error()
        guard let created = unsafe EVP_MAC_CTX_new(FetchedMAC.hmac.pointer) else { throw .drained("EVP_MAC_CTX_new") }
        unsafe context = created
        guard unsafe Self.schedule(created, algorithm, key) else { throw .drained("EVP_MAC_init") }
    }

    deinit {
        for spare in spare.withLock({ $0 }) { unsafe EVP_MAC_CTX_free(spare.pointer) }
        unsafe EVP_MAC_CTX_free(context)
    }

    /// A message to be fed in parts.
    package func begin() -> MessageAuthentication {
        if let spare = spare.withLock({ $0.popLast() }) {
            return unsafe MessageAuthentication(owning: spare.pointer, of: self)
        }
        let copy = unsafe EVP_MAC_CTX_dup(context)
        unsafe require(copy != nil, "EVP_MAC_CTX_dup")
        return unsafe MessageAuthentication(owning: copy!, of: self)
    }

    /// Takes a context back, ready for the next message.
    fileprivate func giveBack(_ context: OpaquePointer) {
        // Without a key, the one it holds is taken again (EVP_MAC_init(3)).
        let isReady = unsafe EVP_MAC_init(context, nil, 0, nil) == 1
        let isKept =
            isReady
            && spare.withLock { spare in
                guard spare.count < Self.maximumSpare else { return false }
                unsafe spare.append(SpareContext(pointer: context))
                return true
            }
        if !isKept { unsafe EVP_MAC_CTX_free(context) }
    }

    package func authenticate(_ message: [UInt8]) -> [UInt8] {
        var state = begin()
        unsafe state.update(message.span.bytes)
        return state.finish()
    }

    /// The code of the concatenated parts, which are only read during the call.
    package func authenticate(_ parts: [UnsafeRawBufferPointer]) -> [UInt8] {
        var state = begin()
        for index in unsafe parts.indices { unsafe state.update(parts[index].bytes) }
        return state.finish()
    }

    private static func schedule(_ context: OpaquePointer, _ algorithm: HashAlgorithm, _ key: [UInt8]) -> Bool {
        var name = Array(algorithm.openSSLName.utf8CString)
        return unsafe name.withUnsafeMutableBufferPointer { name in
            let parameters = unsafe [
                OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.baseAddress, 0),
                OSSL_PARAM_construct_end(),
            ]
            return unsafe EVP_MAC_init(context, key, key.count, parameters) == 1
        }
    }
}

/// One message being authenticated; made by `HMACKey.begin()`.
///
/// `@unchecked Sendable`: the context has one owner and OpenSSL ties it to no thread.
@safe package struct MessageAuthentication: ~Copyable, @unchecked Sendable {
    private let context: OpaquePointer
    private let key: HMACKey

    fileprivate init(owning context: OpaquePointer, of key: HMACKey) {
        unsafe self.context = context
        self.key = key
    }

    deinit {
        unsafe key.giveBack(context)
    }

    package mutating func update(_ bytes: RawSpan) {
        guard !bytes.isEmpty else { return }
        unsafe bytes.withUnsafeBytes { buffer in
            let start = unsafe buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
            unsafe require(EVP_MAC_update(context, start, buffer.count) == 1, "EVP_MAC_update")
        }
    }

    package mutating func update(_ bytes: [UInt8]) {
        unsafe update(bytes.span.bytes)
    }

    /// `bytes` is only read during the call.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        unsafe update(bytes.bytes)
    }

    package mutating func update(_ text: String) {
        unsafe update(text.utf8Span.span.bytes)
    }

    /// The whole code, as long as the algorithm's digest.
    package consuming func finish() -> [UInt8] {
        let length = key.algorithm.digestLength
        return unsafe [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
            unsafe require(EVP_MAC_final(context, buffer.baseAddress, &count, length) == 1, "EVP_MAC_final")
        }
    }
}

/// A context that holds a key and waits for a message.
///
/// `@unchecked Sendable`: it has one owner at a time, and OpenSSL ties it to no thread.
@safe private struct SpareContext: @unchecked Sendable {
    let pointer: OpaquePointer

    init(pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }
}

/// The HMAC implementation, fetched once.
///
/// `@unchecked Sendable`: a fetched `EVP_MAC` is immutable and its reference count atomic (EVP_MAC(3)).
@safe private struct FetchedMAC: @unchecked Sendable {
    let pointer: OpaquePointer

    static let hmac = FetchedMAC()

    private init() {
        ERR_clear_error()
        let mac = unsafe EVP_MAC_fetch(nil, "HMAC", nil)
        unsafe require(mac != nil, "EVP_MAC_fetch")
        unsafe pointer = mac!
    }
}
