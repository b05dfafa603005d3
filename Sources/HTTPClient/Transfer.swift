import Addresses
import CCurl
import HTTPTypes

/// A request handed to the client, and whom to tell.
final class Exchange: Sendable {
    let request: HTTPClientRequest
    /// The checked address to connect to behind a proxy, as `host:port:address:port`.
    let connectTo: String?
    let completion: @Sendable (Result<HTTPClientResponse, TransportFailure>) -> Void
    let begun: MonotonicTime

    init(
        _ request: HTTPClientRequest, connectTo: String? = nil, begun: MonotonicTime = .now(),
        completion: @escaping @Sendable (Result<HTTPClientResponse, TransportFailure>) -> Void
    ) {
        self.request = request
        self.connectTo = connectTo
        self.begun = begun
        self.completion = completion
    }

    var elapsed: Duration { begun.elapsed() }
    var deadline: MonotonicTime { begun.advanced(by: request.timeout) }
}

/// What a handle is set up for once and keeps from request to request.
struct TransferShape: Hashable {
    var tls: TLSOptions
    var unixSocket: String?
    var proxy: String?

    init(_ request: HTTPClientRequest) {
        tls = request.tls
        unixSocket = request.unixSocket
        proxy = request.proxy
    }
}

/// One easy handle and what its callbacks need, used for one request after another of the same shape.
final class Transfer {
    let shape: TransferShape
    let easy: EasyHandle
    let attempt: ConnectionAttempt
    let collector: ResponseCollector
    private(set) var exchange: Exchange?
    /// Its place in the loop's list of active transfers.
    var place = 0

    private let pin: CertificatePin?
    private var headers = RequestHeaders()
    private var body = PinnedBytes(capacity: 2048)
    private var url = ""
    /// Of the URL: most requests are for the one before's.
    private var host = ""
    private var method = "POST"
    private var connectTo: ConnectToList?

    /// Idle handles keep at most this much memory for a body.
    private static let keptBodyCapacity = 64 * 1024

    init(_ shape: TransferShape, lookups: LookupGate, sockets: SocketWatch) throws(TransportFailure) {
        guard let easy = EasyHandle() else {
            throw TransportFailure(.client, "libcurl gives no handle: out of memory?")
        }
        self.shape = shape
        self.easy = easy
        attempt = ConnectionAttempt(easy: easy, purpose: .requests, lookups: lookups, sockets: sockets)
        collector = ResponseCollector(easy: easy)
        pin = try easy.configureTLS(shape.tls)
        easy.configureConnection()
        easy.configureRequests()
        // Unretained: the loop holds the transfer while the handle is in its multi handle.
        unsafe easy.set(CURLOPT_PRIVATE, pointer: Unmanaged.passUnretained(self).toOpaque())
        if let unixSocket = shape.unixSocket {
            guard !unixSocket.utf8.contains(0), easy.set(CURLOPT_UNIX_SOCKET_PATH, text: unixSocket) else {
                throw TransportFailure(.url, "the path of the Unix socket cannot be used")
            }
        }
        if let proxy = shape.proxy { try easy.configureProxy(proxy) }
    }

    static func from(_ context: UnsafeMutableRawPointer) -> Transfer {
        unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    }

    func begin(_ exchange: Exchange, now: MonotonicTime) throws(TransportFailure) {
        let request = exchange.request
        if url != request.url {
            try setURL(request.url)
        }
        try headers.load(request.headers)
        headers.set(on: easy)
        body.load(request.body)
        unsafe easy.set(CURLOPT_POSTFIELDS, pointer: body.start)
        easy.set(CURLOPT_POSTFIELDSIZE_LARGE, size: body.count)
        try setMethod(request.method, hasBody: !request.body.isEmpty)
        let remaining = max(1, (request.timeout - exchange.begun.elapsed(until: now)).milliseconds)
        easy.set(CURLOPT_TIMEOUT_MS, remaining)
        easy.set(CURLOPT_CONNECTTIMEOUT_MS, max(1, min(remaining, request.connectTimeout.milliseconds)))
        try setConnectTo(exchange.connectTo)
        easy.clearError()
        attempt.begin(
            host: host, addressGuard: request.addressGuard,
            isUnixSocket: request.unixSocket != nil, pin: pin)
        collector.begin(maximumBody: request.maximumResponseBytes)
        self.exchange = exchange
    }

    /// Takes the exchange out; the handle is then free for another one.
    func end(timedOut: Bool) -> Exchange? {
        attempt.end(timedOut: timedOut)
        return exchange.take()
    }

    /// Lets go of what a large request or answer took.
    func release() {
        body.clear(keeping: Self.keptBodyCapacity)
        headers.release()
        collector.release()
    }

    private func setURL(_ text: String) throws(TransportFailure) {
        try Authority.check(url: text, tls: shape.tls)
        guard easy.set(CURLOPT_URL, text: text) else { throw TransportFailure(.url, "the URL cannot be used") }
        url = text
        host = Authority.host(of: text)
    }

    /// Comes after the body, because setting that makes any request a POST.
    private func setMethod(_ name: String, hasBody: Bool) throws(TransportFailure) {
        switch name {
        case "POST", "PUT", "PATCH": easy.set(CURLOPT_POST, 1)
        case "HEAD" where hasBody: throw TransportFailure(.request, "a HEAD request has no body")
        case "HEAD": easy.set(CURLOPT_NOBODY, 1)
        default: easy.set(hasBody ? CURLOPT_POST : CURLOPT_HTTPGET, 1)
        }
        guard method != name else { return }
        guard RequestHeaders.isToken(name) else {
            throw TransportFailure(.request, "the method is not a token (RFC 9110, section 9.1)")
        }
        // Named here, HEAD would wait for a body.
        guard easy.set(CURLOPT_CUSTOMREQUEST, text: name == "POST" || name == "HEAD" ? nil : name) else {
            throw TransportFailure(.client, "there is no memory for the request")
        }
        method = name
    }

    private func setConnectTo(_ entry: String?) throws(TransportFailure) {
        guard entry != nil || connectTo != nil else { return }
        let list = try entry.map { entry throws(TransportFailure) in try ConnectToList(entry) }
        unsafe gatehouse_curl_set_list(easy.handle, CURLOPT_CONNECT_TO, list?.pointer)
        connectTo = list
    }
}

/// A one-entry list for CURLOPT_CONNECT_TO, which libcurl does not copy.
@safe private final class ConnectToList {
    @unsafe let pointer: UnsafeMutablePointer<curl_slist>

    init(_ entry: String) throws(TransportFailure) {
        let list = unsafe entry.withCString { unsafe curl_slist_append(nil, $0) }
        guard let list = unsafe list else { throw TransportFailure(.client, "there is no memory for the request") }
        unsafe pointer = unsafe list
    }

    deinit {
        unsafe curl_slist_free_all(pointer)
    }
}
