import COpenSSL

/// Whether both hold the same bytes, in a time that depends on their lengths only.
package func constantTimeEquals(_ one: [UInt8], _ other: [UInt8]) -> Bool {
    guard one.count == other.count else { return false }
    return unsafe CRYPTO_memcmp(one, other, one.count) == 0
}

/// Whether both hold the same text, byte by byte, in a time that depends on their lengths only.
package func constantTimeEquals(_ one: String, _ other: String) -> Bool {
    constantTimeEquals(Array(one.utf8), Array(other.utf8))
}

/// Overwrites the bytes in a way the optimiser keeps. Another array sharing the storage keeps its own copy.
package func cleanse(_ bytes: inout [UInt8]) {
    unsafe bytes.withUnsafeMutableBytes { buffer in
        unsafe OPENSSL_cleanse(buffer.baseAddress, buffer.count)
    }
}

/// Bytes fit for keys, from OpenSSL's generator.
package func randomBytes(_ count: Int) -> [UInt8] {
    precondition((0...1 << 20).contains(count), "randomBytes gives at most a MiB")
    ERR_clear_error()
    return unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        unsafe require(RAND_bytes(buffer.baseAddress, Int32(count)) == 1, "RAND_bytes")
        initialized = count
    }
}
