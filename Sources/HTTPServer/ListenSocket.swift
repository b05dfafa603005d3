internal import Addresses
internal import CMicroHTTPD
internal import Glibc

/// A bound, listening, non-blocking socket. Used by one thread, then closed by it.
struct ListenSocket: ~Copyable, Sendable {
    private static let backlog: Int32 = 4096

    let descriptor: Int32
    /// 0 on a Unix socket.
    let port: Int
    private let file: String?

    init(_ address: HTTPListenAddress) throws(HTTPServerError) {
        switch address {
        case .tcp(let host, let port):
            (descriptor, self.port) = try Self.listen(host: host, port: port, address)
            file = nil
        case .unix(let path, let mode):
            descriptor = try Self.listen(path: path, mode: mode)
            (port, file) = (0, path)
        }
    }

    deinit {
        // Before closing, so that whoever connects now is refused by a missing file and not by a dead one.
        if let file { unsafe unlink(file) }
        close(descriptor)
    }

    private static func listen(
        host: String, port: Int, _ address: HTTPListenAddress
    ) throws(HTTPServerError) -> (Int32, Int) {
        guard let parsed = IPAddress(host), (0...65535).contains(port) else {
            throw HTTPServerError(.address, "\(address) is not an IP address and a port from 0 to 65535.")
        }
        let descriptor = try open(parsed.isIPv4 ? AF_INET : AF_INET6, address)
        var one: Int32 = 1
        // A restart must not wait for the old connections' TIME_WAIT.
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        if !parsed.isIPv4 { unsafe setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &one, 4) }
        let bound = unsafe withSocketAddress(host, port, isIPv4: parsed.isIPv4) { pointer, length in
            unsafe bind(descriptor, pointer, length) == 0 && Glibc.listen(descriptor, backlog) == 0
        }
        guard bound, let port = boundPort(descriptor) else {
            let code = errno
            close(descriptor)
            throw bindError(address, code)
        }
        return (descriptor, port)
    }

    private static func listen(path: String, mode: UInt32) throws(HTTPServerError) -> Int32 {
        let address = HTTPListenAddress.unix(path: path, mode: mode)
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        let capacity = MemoryLayout.size(ofValue: name.sun_path) - 1
        guard !path.isEmpty, path.utf8.count <= capacity, !path.utf8.contains(0) else {
            throw HTTPServerError(
                .address, "The path of a socket file has 1 to \(capacity) bytes: \(path) has \(path.utf8.count).")
        }
        unsafe withUnsafeMutableBytes(of: &name.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        try removeStale(path, &name)
        let descriptor = try open(AF_UNIX, address)
        // The mode applies from the first moment on: the file is made with no rights for others, then given its own.
        let previous = umask(0o177)
        let bound = unsafe withGeneric(&name) { unsafe bind(descriptor, $0, $1) == 0 }
        let code = errno
        umask(previous)
        guard bound, unsafe chmod(path, mode) == 0, Glibc.listen(descriptor, backlog) == 0 else {
            let code = bound ? errno : code
            close(descriptor)
            if bound { unsafe unlink(path) }
            throw bindError(address, code)
        }
        return descriptor
    }

    /// Removes a socket file nobody listens on any more; leaves everything else alone.
    private static func removeStale(_ path: String, _ name: inout sockaddr_un) throws(HTTPServerError) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw HTTPServerError(
                .socketFile, "\(path) exists and is not a socket: move it away or choose another path.")
        }
        let probe = try open(AF_UNIX, .unix(path: path))
        defer { close(probe) }
        if unsafe withGeneric(&name, { unsafe connect(probe, $0, $1) == 0 }) || errno == EAGAIN {
            throw HTTPServerError(
                .addressInUse, "\(path) is in use by another process: is an instance running already?",
                systemError: EADDRINUSE)
        }
        unsafe unlink(path)
    }

    private static func open(_ family: Int32, _ address: HTTPListenAddress) throws(HTTPServerError) -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, kind, 0)
        guard descriptor >= 0 else { throw bindError(address, errno) }
        return descriptor
    }

    private static func bindError(_ address: HTTPListenAddress, _ code: Int32) -> HTTPServerError {
        switch code {
        case EADDRINUSE:
            HTTPServerError(
                .addressInUse,
                "\(address) is in use by another process: stop that one (ss -ltnp shows it) or choose another port.",
                systemError: code)
        case EACCES:
            HTTPServerError(
                .listen, "\(address) may not be listened on by this user: use a port above 1023, or grant it.",
                systemError: code)
        case EADDRNOTAVAIL:
            HTTPServerError(.listen, "\(address) is not an address of this machine.", systemError: code)
        default:
            HTTPServerError(.listen, "\(address) cannot be listened on: \(systemMessage(code)).", systemError: code)
        }
    }

    private static func boundPort(_ descriptor: Int32) -> Int? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let found = unsafe withUnsafeMutablePointer(to: &storage) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getsockname(descriptor, $0, &length) }
        }
        guard found == 0 else { return nil }
        // The port stands at the same place in IPv4 and IPv6 addresses.
        return unsafe withUnsafeBytes(of: &storage) {
            unsafe Int(UInt16(bigEndian: $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
        }
    }

    private static func withSocketAddress(
        _ host: String, _ port: Int, isIPv4: Bool, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Bool
    ) -> Bool {
        if isIPv4 {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(UInt16(port).bigEndian)
            guard unsafe inet_pton(AF_INET, host, &address.sin_addr) == 1 else { return false }
            return unsafe withGeneric(&address, body)
        }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = in_port_t(UInt16(port).bigEndian)
        guard unsafe inet_pton(AF_INET6, host, &address.sin6_addr) == 1 else { return false }
        return unsafe withGeneric(&address, body)
    }

    private static func withGeneric<Address>(
        _ address: inout Address, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Bool
    ) -> Bool {
        unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<Address>.size))
            }
        }
    }
}
