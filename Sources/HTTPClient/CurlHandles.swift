import CCurl

/// libcurl's process-wide set-up: done once, before the first handle.
private let curlIsReady: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

/// A curl multi handle. It does its own waiting, or leaves it to a `SocketWatch`. It belongs to the thread of its loop, but for `wake`, which any thread may call.
@safe final class MultiHandle: @unchecked Sendable {
    // Sendable for `wake` alone: curl_multi_wakeup is the one function documented to be callable from any thread.
    private let handle: UnsafeMutableRawPointer
    /// Held because connections that this closes at its end are told to it.
    private var sockets: SocketWatch?

    /// - Parameter connections: How many connections are kept open for reuse.
    init(connections: Int) {
        guard curlIsReady, let handle = unsafe curl_multi_init() else { fatalError("libcurl gives no multi handle") }
        unsafe self.handle = unsafe handle
        unsafe gatehouse_curl_multi_set_long(handle, CURLMOPT_MAXCONNECTS, connections)
    }

    deinit {
        unsafe curl_multi_cleanup(handle)
    }

    /// Lets `sockets` do the waiting: from now on `act` and `actOnTimer` take the place of `perform` and `wait`.
    func watch(by sockets: SocketWatch) {
        self.sockets = sockets
        let context = unsafe Unmanaged.passUnretained(sockets).toOpaque()
        unsafe gatehouse_curl_multi_set_socket(handle, context) { _, socket, what, context, _ in
            guard let context = unsafe context else { return -1 }
            unsafe Unmanaged<SocketWatch>.fromOpaque(context).takeUnretainedValue().want(socket, what)
            return 0
        }
        unsafe gatehouse_curl_multi_set_timer(handle, context) { _, milliseconds, context in
            guard let context = unsafe context else { return -1 }
            unsafe Unmanaged<SocketWatch>.fromOpaque(context).takeUnretainedValue().setTimer(milliseconds: milliseconds)
            return 0
        }
    }

    /// Goes on with what uses the socket.
    /// - Parameter events: CURL_CSELECT_IN, CURL_CSELECT_OUT.
    func act(_ socket: Int32, _ events: Int32) {
        var running: Int32 = 0
        _ = unsafe curl_multi_socket_action(handle, socket, events, &running)
    }

    /// Begins what was added, and ends what takes too long.
    func actOnTimer() {
        act(CURL_SOCKET_BAD, 0)
    }

    func wake() {
        unsafe curl_multi_wakeup(handle)
    }

    func add(_ easy: EasyHandle) -> Bool {
        unsafe curl_multi_add_handle(handle, easy.handle) == CURLM_OK
    }

    func remove(_ easy: EasyHandle) {
        unsafe curl_multi_remove_handle(handle, easy.handle)
    }

    func perform() {
        var running: Int32 = 0
        _ = unsafe curl_multi_perform(handle, &running)
    }

    /// Calls `body` with the context and result of every transfer that has ended since the last call.
    func forEachFinished(_ body: (UnsafeMutableRawPointer, CURLcode) -> Void) {
        var remaining: Int32 = 0
        while let message = unsafe curl_multi_info_read(handle, &remaining) {
            var result = CURLE_OK
            guard let easy = unsafe gatehouse_curl_finished(message, &result) else { continue }
            var context: UnsafeMutableRawPointer?
            unsafe gatehouse_curl_get_pointer(easy, CURLINFO_PRIVATE, &context)
            if let context = unsafe context { unsafe body(context, result) }
        }
    }

    /// Waits for the transfers' sockets, the given ones, `wake`, or the time to pass.
    func wait(_ sockets: inout [curl_waitfd], milliseconds: Int) {
        var ready: Int32 = 0
        let count = UInt32(sockets.count)
        unsafe sockets.withUnsafeMutableBufferPointer { sockets in
            _ = unsafe curl_multi_poll(handle, sockets.baseAddress, count, Int32(milliseconds), &ready)
        }
    }
}

/// A curl easy handle with typed options. It belongs to the thread of its loop.
@safe final class EasyHandle {
    let handle: UnsafeMutableRawPointer
    /// libcurl writes the last error's text here; it must outlive the handle.
    private let errorText: UnsafeMutablePointer<CChar>
    private static let errorCapacity = Int(CURL_ERROR_SIZE)

    init?() {
        guard curlIsReady, let handle = unsafe curl_easy_init() else { return nil }
        unsafe self.handle = unsafe handle
        unsafe errorText = .allocate(capacity: Self.errorCapacity)
        unsafe errorText.initialize(repeating: 0, count: Self.errorCapacity)
        unsafe gatehouse_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, errorText)
    }

    deinit {
        unsafe curl_easy_cleanup(handle)
        unsafe errorText.deallocate()
    }

    func set(_ option: CURLoption, _ value: Int) {
        unsafe gatehouse_curl_set_long(handle, option, value)
    }

    func set(_ option: CURLoption, size: Int) {
        unsafe gatehouse_curl_set_size(handle, option, curl_off_t(size))
    }

    /// Copied by libcurl. False when it was not taken, as for lack of memory; the text must hold no NUL.
    @discardableResult
    func set(_ option: CURLoption, text: String?) -> Bool {
        guard let text else { return unsafe gatehouse_curl_set_text(handle, option, nil) == CURLE_OK }
        return unsafe text.withCString { unsafe gatehouse_curl_set_text(handle, option, $0) == CURLE_OK }
    }

    /// Not copied: the memory must stay as it is while the transfer goes on.
    @unsafe func set(_ option: CURLoption, pointer: UnsafeMutableRawPointer?) {
        unsafe gatehouse_curl_set_pointer(handle, option, pointer)
    }

    func status() -> Int {
        var value = 0
        unsafe gatehouse_curl_get_long(handle, CURLINFO_RESPONSE_CODE, &value)
        return value
    }

    func number(_ info: CURLINFO) -> Int {
        var value = 0
        unsafe gatehouse_curl_get_long(handle, info, &value)
        return value
    }

    /// The descriptor of the connection this handle made last.
    func socket() -> Int32? {
        var value: curl_socket_t = -1
        guard unsafe gatehouse_curl_get_socket(handle, &value) == CURLE_OK, value >= 0 else { return nil }
        return value
    }

    /// SHA-256 of the peer's certificate on the connection in use.
    func peerCertificateSHA256() -> [UInt8]? {
        var digest = [UInt8](repeating: 0, count: 32)
        let isKnown = unsafe digest.withUnsafeMutableBufferPointer { digest in
            unsafe gatehouse_curl_peer_certificate_sha256(handle, digest.baseAddress!) == 1
        }
        return isKnown ? digest : nil
    }

    /// The pin of its public key.
    func peerKeyPin() -> String? {
        var text = [CChar](repeating: 0, count: 56)
        let isKnown = unsafe text.withUnsafeMutableBufferPointer { text in
            unsafe gatehouse_curl_peer_key_pin(handle, text.baseAddress!) == 1
        }
        return isKnown ? String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self) : nil
    }

    /// What libcurl says of the failure, or the general text of its code. Neither holds more of a URL than its host.
    func explanation(of result: CURLcode) -> String {
        let text = unsafe String(cString: errorText)
        return text.isEmpty ? unsafe String(cString: curl_easy_strerror(result)) : text
    }

    func clearError() {
        unsafe errorText[0] = 0
    }
}
