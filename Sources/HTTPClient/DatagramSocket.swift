package import Addresses
import Glibc
import Synchronization

/// Sends UDP datagrams to one destination. Names are looked up off the caller's thread and looked up again every minute;
/// the socket is connected to the checked address, so that an ICMP refusal of one datagram fails the next.
package final class DatagramSocket: Sendable {
    private struct State {
        var descriptor: Int32 = -1
        var peer: IPAddress?
        var isClosed = false
        /// Datagrams that wait for a look-up.
        var waiting = 0
    }

    private static let maximumWaiting = 4096

    private let host: String
    private let port: UInt16
    private let addressGuard: AddressGuard?
    private let resolver: Resolver
    private let state = Mutex(State())

    /// - Parameter client: Whose resolver and cache are used.
    package init(host: String, port: Int, addressGuard: AddressGuard?, client: HTTPClient) {
        self.host = host
        self.port = UInt16(exactly: port) ?? 0
        self.addressGuard = addressGuard
        resolver = client.resolver
    }

    deinit {
        close()
    }

    /// Sends one datagram; never blocks.
    ///
    /// - Parameter completion: Called exactly once: with success when the kernel has taken the datagram, which says
    ///   nothing about its arrival. On the caller's thread where the address is known, else on a resolver's thread. Must
    ///   not block.
    package func send(_ bytes: [UInt8], completion: @escaping @Sendable (Result<Void, TransportFailure>) -> Void) {
        guard port > 0 else {
            return completion(.failure(TransportFailure(.url, "the port is no number from 1 to 65535")))
        }
        if let addresses = resolver.known(host) { return completion(transmit(bytes, addresses)) }
        let isTaken = state.withLock { state in
            guard state.waiting < Self.maximumWaiting else { return false }
            state.waiting += 1
            return true
        }
        guard isTaken else {
            return completion(
                .failure(TransportFailure(.clientBusy, "too many datagrams wait for the look-up of \(host)")))
        }
        resolver.addresses(of: host) { [self] result in
            state.withLock { $0.waiting -= 1 }
            completion(result.flatMap { transmit(bytes, $0) })
        }
    }

    /// Later sends fail with `shutdown`.
    package func close() {
        state.withLock { state in
            state.isClosed = true
            Self.disconnect(&state)
        }
    }

    private func transmit(_ bytes: [UInt8], _ addresses: [IPAddress]) -> Result<Void, TransportFailure> {
        switch AddressGuard.permitted(addresses, of: host, by: addressGuard) {
        case .failure(let failure): .failure(failure)
        case .success(let permitted):
            state.withLock { state in
                guard !state.isClosed else {
                    return .failure(TransportFailure(.shutdown, "the socket is closed"))
                }
                if let failure = connect(&state, permitted) { return .failure(failure) }
                return transmit(bytes, on: &state)
            }
        }
    }

    /// Keeps the connection when its peer is still among the addresses.
    private func connect(_ state: inout State, _ addresses: [IPAddress]) -> TransportFailure? {
        if let peer = state.peer, addresses.contains(peer) { return nil }
        Self.disconnect(&state)
        var lastError: Int32 = 0
        for address in addresses {
            let family = address.isIPv4 ? AF_INET : AF_INET6
            let type = SocketType.datagram | SocketType.closedOnExec | SocketType.nonBlocking
            let descriptor = socket(family, type, 0)
            guard descriptor >= 0 else {
                return TransportFailure(.client, "no socket could be opened (\(Self.text(errno)))")
            }
            if Self.connect(descriptor, to: address, port) {
                state.descriptor = descriptor
                state.peer = address
                return nil
            }
            lastError = errno
            _ = Glibc.close(descriptor)
        }
        return TransportFailure(.connectFailed, "\(host) cannot be reached (\(Self.text(lastError)))")
    }

    private func transmit(_ bytes: [UInt8], on state: inout State) -> Result<Void, TransportFailure> {
        let sent = unsafe bytes.withUnsafeBytes { bytes in
            unsafe Glibc.send(state.descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        }
        if sent == bytes.count { return .success(()) }
        let error = errno
        switch error {
        case EMSGSIZE:
            return .failure(
                TransportFailure(.messageSize, "a datagram of \(bytes.count) bytes is too large: lower `max_bytes`"))
        case EAGAIN, ENOBUFS:
            return .failure(TransportFailure(.clientBusy, "the system's send buffer is full: try again later"))
        case ECONNREFUSED:
            return .failure(TransportFailure(.connectRefused, "nothing listens at \(host) port \(port)"))
        default:
            Self.disconnect(&state)
            return .failure(TransportFailure(.connectFailed, "\(host) cannot be reached (\(Self.text(error)))"))
        }
    }

    private static func disconnect(_ state: inout State) {
        if state.descriptor >= 0 { _ = Glibc.close(state.descriptor) }
        state.descriptor = -1
        state.peer = nil
    }

    private static func connect(_ descriptor: Int32, to address: IPAddress, _ port: UInt16) -> Bool {
        var storage = sockaddr_storage()
        let length = unsafe withUnsafeMutableBytes(of: &storage) { storage in
            unsafe address.fill(storage, port: port)
        }
        return unsafe withUnsafePointer(to: &storage) { storage in
            unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { storage in
                unsafe Glibc.connect(descriptor, storage, socklen_t(length)) == 0
            }
        }
    }

    private static func text(_ error: Int32) -> String {
        unsafe String(cString: strerror(error))
    }
}

extension IPAddress {
    /// Writes the address as a `sockaddr_in` or `sockaddr_in6` and returns its length.
    fileprivate func fill(_ storage: UnsafeMutableRawBufferPointer, port: UInt16) -> Int {
        if isIPv4 {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            unsafe withUnsafeMutableBytes(of: &address.sin_addr) { unsafe $0.copyBytes(from: bytes) }
            unsafe storage.storeBytes(of: address, as: sockaddr_in.self)
            return MemoryLayout<sockaddr_in>.size
        }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        unsafe withUnsafeMutableBytes(of: &address.sin6_addr) { unsafe $0.copyBytes(from: bytes) }
        unsafe storage.storeBytes(of: address, as: sockaddr_in6.self)
        return MemoryLayout<sockaddr_in6>.size
    }
}
