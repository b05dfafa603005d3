internal import CGnuTLS
internal import CMicroHTTPD
internal import Glibc
internal import Synchronization
internal import Threads

/// The library's daemon: its worker threads, without a listening socket. Connections are handed in, so that who is
/// accepted, and who makes room, is decided here. The library's functions used on it may be called from any thread.
@safe struct Daemon: ~Copyable, @unchecked Sendable {
    private let pointer: OpaquePointer
    private let context: Unmanaged<ServerCore>

    /// The version whose buffer layout `HeaderBlock` knows.
    static var readsHeaderBlock: Bool {
        unsafe MHD_get_version().map { unsafe String(cString: $0) == "0.9.75" } ?? false
    }

    init(_ core: ServerCore) throws(HTTPServerError) {
        let configuration = core.configuration
        let retained = unsafe Unmanaged.passRetained(core)
        let certificateCallback =
            unsafe configuration.tls == nil ? nil : gatehouse_gnutls_callback(lendCertificate)
        let started: OpaquePointer? = unsafe withAllSignalsBlocked {
            unsafe tlsPriorities.withCString { priorities in
                var settings = unsafe gatehouse_mhd_settings(
                    threads: UInt32(clamping: max(1, min(64, configuration.threads))),
                    // Divided among the workers, which are not handed equal shares; the limit that counts is ours.
                    connection_limit: UInt32(clamping: (configuration.connections + 2048) * configuration.threads),
                    connection_memory: Self.memory(configuration),
                    strict_for_client: core.readsHeaderBlock ? 0 : 1,
                    tls_priorities: configuration.tls == nil ? nil : priorities,
                    certificate_callback: certificateCallback, context: retained.toOpaque(),
                    handler: handleStep, completed: requestEnded, connection_changed: connectionChanged,
                    target_received: targetReceived, unescape: keepEscapes)
                return unsafe gatehouse_mhd_start(&settings)
            }
        }
        guard let started = unsafe started else {
            unsafe retained.release()
            throw HTTPServerError(
                .library, "The HTTP threads did not start: \(systemMessage(errno)).", systemError: errno)
        }
        unsafe (pointer, context) = (started, retained)
    }

    /// Closes every connection. None may be suspended, and nothing may be added meanwhile.
    deinit {
        unsafe MHD_stop_daemon(pointer)
        unsafe context.release()
    }

    /// Hands a socket over; it is closed when that fails.
    func add(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Bool {
        unsafe MHD_add_connection(pointer, descriptor, address, length) == .yes
    }

    /// Room for the header section, for the library's notes on each field (64 bytes), and for the answer's head. All of
    /// it is cleared after each request, so more than needed costs time.
    private static func memory(_ configuration: HTTPServerConfiguration) -> Int {
        configuration.maxHeaderBytes + configuration.maxHeaderCount * 64 + 2048
    }
}

private let tlsPriorities = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE"

// MARK: Callbacks. Each unwraps, calls, and maps the result.

private typealias Context = UnsafeMutableRawPointer
private typealias Cell = UnsafeMutablePointer<UnsafeMutableRawPointer?>

private func core(_ context: Context) -> ServerCore {
    unsafe Unmanaged<ServerCore>.fromOpaque(context).takeUnretainedValue()
}

private func connection(of library: OpaquePointer) -> Connection? {
    guard let context = unsafe gatehouse_mhd_socket_context(library) else { return nil }
    return unsafe Unmanaged<Connection>.fromOpaque(context).takeUnretainedValue()
}

/// The socket context owns a connection from its start to its close.
private let connectionChanged: MHD_NotifyConnectionCallback = { context, library, cell, change in
    guard let context = unsafe context, let library = unsafe library, let cell = unsafe cell else { return }
    let core = unsafe core(context)
    if gatehouse_mhd_has_started(change) {
        let connection = unsafe core.table.connection(at: gatehouse_mhd_descriptor(library))
        unsafe cell.pointee = connection.map { unsafe Unmanaged.passRetained($0).toOpaque() }
    } else if let held = unsafe cell.pointee {
        unsafe cell.pointee = nil
        unsafe core.closed(Unmanaged<Connection>.fromOpaque(held).takeRetainedValue())
    }
}

/// The request line is here: what it returns is the request's own cell from here on, released in `requestEnded`.
private let targetReceived:
    @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?, OpaquePointer?) -> UnsafeMutableRawPointer? = {
        context, target, library in
        guard let context = unsafe context, let target = unsafe target, let library = unsafe library,
            let connection = unsafe connection(of: library)
        else { return nil }
        let mark = connection.phaseMark
        _ = connection.enter(.head)
        let request = unsafe Request(
            connection: connection, target: UnsafeRawBufferPointer(start: target, count: strlen(target)), after: mark)
        if let target = request.target, let patience = unsafe core(context).handler.patience(target: target) {
            request.isUrgent = true
            unsafe core(context).isUrgent(connection)
            connection.expect(by: request.startedAt / 1000 + patience.limit.microseconds, orSay: patience.answer)
        } else {
            connection.expectNothing()
        }
        return unsafe Unmanaged.passRetained(request).toOpaque()
    }

private let handleStep: MHD_AccessHandlerCallback = { context, library, _, method, version, chunk, size, cell in
    guard let context = unsafe context, let library = unsafe library, let size = unsafe size,
        let held = unsafe cell?.pointee
    else { return .no }
    let request = unsafe Unmanaged<Request>.fromOpaque(held).takeUnretainedValue()
    let bytes = unsafe UnsafeRawBufferPointer(start: chunk, count: size.pointee)
    // All of it is taken: nothing may stay in the library's buffer.
    unsafe size.pointee = 0
    let flow = unsafe RequestFlow(core: core(context), request: request, library: library)
    return unsafe flow.step(method: method, version: version, chunk: bytes) ? .yes : .no
}

private let requestEnded: MHD_RequestCompletedCallback = { context, library, cell, reason in
    guard let context = unsafe context, let library = unsafe library, let held = unsafe cell?.pointee else { return }
    unsafe cell?.pointee = nil
    let request = unsafe Unmanaged<Request>.fromOpaque(held).takeRetainedValue()
    unsafe endRequest(request, core(context), reason: reason, status: Int(gatehouse_mhd_status(library)))
}

/// Keeps the target's escapes: requests are routed by what was received.
private let keepEscapes:
    @convention(c) (UnsafeMutableRawPointer?, OpaquePointer?, UnsafeMutablePointer<CChar>?) -> Int = {
        _, _, text in
        guard let text = unsafe text else { return 0 }
        return unsafe strlen(text)
    }

private let lendCertificate: gatehouse_gnutls_certificate_callback = {
    session, _, _, _, _, certificates, certificateCount, key in
    // The library sets its connection as the session's own pointer.
    guard let library = unsafe OpaquePointer(gnutls_session_get_ptr(session)),
        let connection = unsafe connection(of: library), let certificate = connection.borrowCertificate()
    else { return -1 }
    unsafe certificate.lend(certificates, certificateCount, key)
    return 0
}
