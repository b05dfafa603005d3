internal import CGnuTLS
internal import Glibc

/// A certificate chain and its private key, as GnuTLS borrows them during a handshake. Never changed once made; every
/// connection whose handshake borrowed it keeps it alive.
@safe final class TLSCertificate: @unchecked Sendable {
    static let maximumChain = 16

    private let chain: UnsafeMutablePointer<gnutls_pcert_st>
    private let count: UInt32
    private let key: gnutls_privkey_t

    /// Reads and checks both files.
    init(_ files: HTTPServerTLS) throws(HTTPServerError) {
        let key = try unsafe Self.loadKey(files.keyPath)
        let chain = UnsafeMutablePointer<gnutls_pcert_st>.allocate(capacity: Self.maximumChain)
        let count: UInt32
        do throws(HTTPServerError) {
            count = try unsafe Self.loadChain(files.certificatePath, into: chain)
        } catch {
            unsafe chain.deallocate()
            unsafe gnutls_privkey_deinit(key)
            throw error
        }
        unsafe (self.chain, self.count, self.key) = (chain, count, key)
        guard unsafe Self.belongTogether(chain, key) else {
            throw HTTPServerError(
                .certificate,
                "The key in \(files.keyPath) is not the key of the first certificate in \(files.certificatePath): "
                    + "put the server's own certificate first, its issuers after it.")
        }
    }

    deinit {
        for index in 0..<Int(count) { unsafe gnutls_pcert_deinit(chain + index) }
        unsafe chain.deallocate()
        unsafe gnutls_privkey_deinit(key)
    }

    /// Lends the certificate to a handshake.
    func lend(
        _ certificates: UnsafeMutablePointer<UnsafeMutablePointer<gnutls_pcert_st>?>,
        _ certificateCount: UnsafeMutablePointer<UInt32>, _ privateKey: UnsafeMutablePointer<gnutls_privkey_t?>
    ) {
        unsafe certificates.pointee = chain
        unsafe certificateCount.pointee = count
        unsafe privateKey.pointee = key
    }

    private static func loadKey(_ path: String) throws(HTTPServerError) -> gnutls_privkey_t {
        var bytes = try read(path)
        defer { unsafe bytes.withUnsafeMutableBytes { unsafe explicit_bzero($0.baseAddress!, $0.count) } }
        var key: gnutls_privkey_t?
        guard unsafe gnutls_privkey_init(&key) == 0, let key = unsafe key else {
            throw HTTPServerError(.certificate, "Out of memory while reading \(path).")
        }
        let result = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            var datum = unsafe gnutls_datum_t(data: buffer.baseAddress, size: UInt32(buffer.count))
            return unsafe gnutls_privkey_import_x509_raw(key, &datum, GNUTLS_X509_FMT_PEM, nil, 0)
        }
        guard result == 0 else {
            unsafe gnutls_privkey_deinit(key)
            throw HTTPServerError(
                .certificate, "\(path) holds no private key in PEM without a password: \(reason(result)).")
        }
        return unsafe key
    }

    private static func loadChain(
        _ path: String, into chain: UnsafeMutablePointer<gnutls_pcert_st>
    ) throws(HTTPServerError) -> UInt32 {
        var bytes = try read(path)
        var count = UInt32(maximumChain)
        let result = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            var datum = unsafe gnutls_datum_t(data: buffer.baseAddress, size: UInt32(buffer.count))
            return unsafe gnutls_pcert_list_import_x509_raw(chain, &count, &datum, GNUTLS_X509_FMT_PEM, 0)
        }
        guard result == 0, count > 0 else {
            throw HTTPServerError(
                .certificate, "\(path) holds no chain of 1 to \(maximumChain) certificates in PEM: \(reason(result)).")
        }
        return count
    }

    private static func belongTogether(_ chain: UnsafeMutablePointer<gnutls_pcert_st>, _ key: gnutls_privkey_t) -> Bool
    {
        var own: gnutls_pubkey_t?
        guard unsafe gnutls_pubkey_init(&own) == 0, let own = unsafe own else { return false }
        defer { unsafe gnutls_pubkey_deinit(own) }
        guard unsafe gnutls_pubkey_import_privkey(own, key, 0, 0) == 0, let theirs = unsafe chain.pointee.pubkey else {
            return false
        }
        let one = unsafe identifier(own)
        return unsafe one != nil && one == identifier(theirs)
    }

    private static func identifier(_ key: gnutls_pubkey_t) -> [UInt8]? {
        var size = 64
        var bytes = [UInt8](repeating: 0, count: size)
        let result = unsafe gnutls_pubkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256.rawValue, &bytes, &size)
        return result == 0 ? Array(bytes.prefix(size)) : nil
    }

    /// At most 1 MiB; the error names the file and never what is in it.
    private static func read(_ path: String) throws(HTTPServerError) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let code = errno
            throw HTTPServerError(.certificate, "\(path) cannot be read: \(systemMessage(code)).", systemError: code)
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            guard count >= 0 else {
                let code = errno
                throw HTTPServerError(
                    .certificate, "\(path) cannot be read: \(systemMessage(code)).", systemError: code)
            }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk.prefix(count))
            guard bytes.count <= 1 << 20 else {
                throw HTTPServerError(.certificate, "\(path) is larger than 1 MiB: it is not a certificate or key.")
            }
        }
    }

    private static func reason(_ code: Int32) -> String {
        unsafe gnutls_strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
    }
}

/// What the system says to an `errno`.
func systemMessage(_ code: Int32) -> String {
    var text = [CChar](repeating: 0, count: 256)
    return unsafe text.withUnsafeMutableBufferPointer { buffer in
        guard let start = buffer.baseAddress, unsafe strerror_r(code, start, buffer.count) == 0 else {
            return "error \(code)"
        }
        return unsafe String(cString: start)
    }
}

extension TLSCertificate {
    /// Last words on a TLS connection, by the thread that serves it.
    static func send(_ bytes: [UInt8], session: UnsafeMutableRawPointer) {
        unsafe bytes.withUnsafeBytes {
            _ = unsafe gnutls_record_send(gnutls_session_t(session), $0.baseAddress, $0.count)
        }
    }
}
