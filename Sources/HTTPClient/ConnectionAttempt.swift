import Addresses
import CCurl
import Glibc

/// What one transfer may connect to, and what became of it: the context of libcurl's callbacks before and while it
/// connects. They run inside `MultiHandle.perform`, while the loop holds the transfer and so this.
final class ConnectionAttempt {
    /// How the sockets are set up.
    enum Purpose {
        case requests
        /// A connection of our own that lives long: a small send buffer, so that what is handed over is soon on its way,
        /// and a dead peer noticed within this time.
        case stream(unansweredMilliseconds: Int)
    }

    struct BrokenPin {
        /// What would fit, in the form of the one that does not; nil for a peer without a certificate.
        var fitting: String?
    }

    private let easy: EasyHandle
    private let purpose: Purpose
    private let lookups: LookupGate?
    /// Told of every socket; it outlives every connection.
    private let sockets: SocketWatch?
    private(set) var addressGuard: AddressGuard?
    private var isUnixSocket = false
    private var pin: CertificatePin?
    private var host = ""

    /// An address the guard refused, and why.
    private(set) var refusal: (address: IPAddress, kind: String)?
    private(set) var socketsOpened = 0
    private(set) var socketError: Int32 = 0
    private(set) var requestsBegun = 0
    /// The peer's certificate is not the pinned one.
    private(set) var brokenPin: BrokenPin?
    private(set) var lookupsBegun = 0
    /// The cap on look-ups held this transfer back before it did anything.
    private(set) var isHeldBack = false
    private var holdsLookup = false

    init(easy: EasyHandle, purpose: Purpose, lookups: LookupGate? = nil, sockets: SocketWatch? = nil) {
        self.easy = easy
        self.purpose = purpose
        self.lookups = lookups
        self.sockets = sockets
        // Unretained: this object and the handle have one owner, and the handle calls only while that owner holds both.
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe easy.set(CURLOPT_OPENSOCKETDATA, pointer: context)
        unsafe gatehouse_curl_set_open_socket(easy.handle) { context, _, address in
            guard let context = unsafe context, let address = unsafe address else { return -1 }
            return unsafe ConnectionAttempt.from(context).open(address)
        }
        unsafe easy.set(CURLOPT_PREREQDATA, pointer: context)
        unsafe gatehouse_curl_set_before_request(easy.handle) { context, remoteAddress, _, _, _ in
            guard let context = unsafe context, let remoteAddress = unsafe remoteAddress else {
                return CURL_PREREQFUNC_ABORT
            }
            let isPermitted = unsafe ConnectionAttempt.from(context).mayRequest(at: String(cString: remoteAddress))
            return isPermitted ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
        }
        if let sockets { Self.tellOfClosing(easy, to: sockets) }
        guard lookups != nil else { return }
        unsafe easy.set(CURLOPT_RESOLVER_START_DATA, pointer: context)
        unsafe gatehouse_curl_set_before_lookup(easy.handle) { _, _, context in
            guard let context = unsafe context else { return 1 }
            return unsafe ConnectionAttempt.from(context).mayLookUp() ? 0 : 1
        }
    }

    /// The connection keeps the callback and its context, whatever becomes of the handle that opened it.
    private static func tellOfClosing(_ easy: EasyHandle, to sockets: SocketWatch) {
        unsafe easy.set(CURLOPT_CLOSESOCKETDATA, pointer: Unmanaged.passUnretained(sockets).toOpaque())
        unsafe gatehouse_curl_set_close_socket(easy.handle) { context, socket in
            if let context = unsafe context {
                unsafe Unmanaged<SocketWatch>.fromOpaque(context).takeUnretainedValue().closing(socket)
            }
            return close(socket)
        }
    }

    /// Readies the context for the next transfer of its handle.
    /// - Parameter pin: What the peer's certificate must be; nil: any trusted one.
    func begin(host: String, addressGuard: AddressGuard?, isUnixSocket: Bool, pin: CertificatePin?) {
        self.host = host
        self.addressGuard = addressGuard
        self.isUnixSocket = isUnixSocket
        self.pin = pin
        refusal = nil
        socketsOpened = 0
        socketError = 0
        requestsBegun = 0
        brokenPin = nil
        lookupsBegun = 0
        isHeldBack = false
    }

    /// Says that the transfer is over, and whether by running out of time.
    func end(timedOut: Bool) {
        guard holdsLookup, let lookups else { return }
        holdsLookup = false
        if timedOut { lookups.abandon(host, now: .now()) } else { lookups.end(host) }
    }

    private static func from(_ context: UnsafeMutableRawPointer) -> ConnectionAttempt {
        unsafe Unmanaged<ConnectionAttempt>.fromOpaque(context).takeUnretainedValue()
    }

    private func mayLookUp() -> Bool {
        lookupsBegun += 1
        guard let lookups, !holdsLookup, !isUnixSocket, IPAddress(host) == nil else { return true }
        guard lookups.begin(host) else {
            isHeldBack = true
            return false
        }
        holdsLookup = true
        return true
    }

    private func lookupEnded() {
        guard holdsLookup else { return }
        holdsLookup = false
        lookups?.end(host)
    }

    private func open(_ address: UnsafeMutablePointer<curl_sockaddr>) -> curl_socket_t {
        lookupEnded()
        let family = unsafe address.pointee.family
        if isUnixSocket {
            guard family == AF_UNIX else { return -1 }
        } else if let addressGuard {
            let parsed = unsafe withUnsafePointer(to: &address.pointee.addr) { socketAddress in
                unsafe IPAddress(socketAddress: socketAddress, length: Int(address.pointee.addrlen))
            }
            guard let parsed, permits(parsed, addressGuard) else { return -1 }
        }
        let type = unsafe address.pointee.socktype | SocketType.closedOnExec
        let descriptor = unsafe socket(family, type, address.pointee.protocol)
        guard descriptor >= 0 else {
            socketError = errno
            return -1
        }
        socketsOpened += 1
        sockets?.opened(descriptor)
        if case .stream(let milliseconds) = purpose { configure(descriptor, unanswered: milliseconds) }
        return descriptor
    }

    private func configure(_ descriptor: Int32, unanswered milliseconds: Int) {
        setOption(descriptor, SOL_SOCKET, SO_SNDBUF, 128 * 1024)
        setOption(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
        setOption(descriptor, Int32(IPPROTO_TCP), TCP_KEEPIDLE, 10)
        setOption(descriptor, Int32(IPPROTO_TCP), TCP_KEEPINTVL, 5)
        setOption(descriptor, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, Int32(clamping: milliseconds))
    }

    private func setOption(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        _ = unsafe setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    private func permits(_ address: IPAddress, _ addressGuard: AddressGuard) -> Bool {
        guard let kind = addressGuard.refusal(of: address) else { return true }
        refusal = (address, kind)
        return false
    }

    /// Asked for new and reused connections alike, once for every time a request is about to be sent. libcurl sends a
    /// request again by itself when a reused connection closes under it; a second time in one transfer is refused,
    /// because every sending is an attempt that the caller counts.
    private func mayRequest(at remoteAddress: String) -> Bool {
        lookupEnded()
        requestsBegun += 1
        guard requestsBegun == 1 else { return false }
        if !isUnixSocket, let addressGuard {
            guard let address = IPAddress(remoteAddress), permits(address, addressGuard) else { return false }
        }
        if let pin { brokenPin = difference(from: pin) }
        return brokenPin == nil
    }

    private func difference(from pin: CertificatePin) -> BrokenPin? {
        switch pin {
        case .publicKey(let text):
            let actual = easy.peerKeyPin()
            return actual == text ? nil : BrokenPin(fitting: actual)
        case .certificate(let digest):
            let actual = easy.peerCertificateSHA256()
            return actual == digest ? nil : BrokenPin(fitting: actual.map(CertificatePin.fingerprint))
        }
    }
}
