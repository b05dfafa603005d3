import CCurl

/// TLS for a scripted server, straight on OpenSSL: an implementation other than the one under test's use of it.
@safe package final class ServerTLS: @unchecked Sendable {
    // Sendable: an SSL_CTX may be used by several threads once it is set up.
    private let context: OpaquePointer

    /// - Parameter clientCAFile: Set, clients must have a certificate of this authority.
    package init(_ identity: LocalAuthority.Identity, clientCAFile: String? = nil) {
        guard let context = unsafe SSL_CTX_new(TLS_server_method()) else { fatalError("no SSL_CTX") }
        unsafe self.context = unsafe context
        guard unsafe SSL_CTX_use_certificate_chain_file(context, identity.certFile) == 1,
            unsafe SSL_CTX_use_PrivateKey_file(context, identity.keyFile, SSL_FILETYPE_PEM) == 1
        else { fatalError("the test certificate cannot be loaded") }
        guard let clientCAFile else { return }
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        guard unsafe SSL_CTX_load_verify_locations(context, clientCAFile, nil) == 1 else {
            fatalError("the test authority cannot be loaded")
        }
    }

    deinit {
        unsafe SSL_CTX_free(context)
    }

    func accept(_ descriptor: Int32) -> TLSSession? {
        unsafe TLSSession(context, descriptor)
    }
}

/// One server-side TLS connection; used by the thread of its connection only.
@safe final class TLSSession {
    private let session: OpaquePointer

    @unsafe init?(_ context: OpaquePointer, _ descriptor: Int32) {
        guard let session = unsafe SSL_new(context) else { return nil }
        unsafe self.session = unsafe session
        guard unsafe SSL_set_fd(session, descriptor) == 1, unsafe SSL_accept(session) == 1 else { return nil }
    }

    deinit {
        unsafe SSL_free(session)
    }

    func read(_ bytes: inout [UInt8]) -> Int {
        unsafe bytes.withUnsafeMutableBytes { unsafe Int(SSL_read(session, $0.baseAddress, Int32($0.count))) }
    }

    func write(_ bytes: ArraySlice<UInt8>) -> Int {
        unsafe bytes.withUnsafeBytes { unsafe Int(SSL_write(session, $0.baseAddress, Int32($0.count))) }
    }

    func sayGoodbye() {
        _ = unsafe SSL_shutdown(session)
    }
}
