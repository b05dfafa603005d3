import CCurl
import Glibc

/// Listening sockets at loopback addresses with ports of the kernel's choice.
enum SocketAddress {
    // They come to Swift by way of the first C module that includes their header, which is why this file imports both.
    static let stream = Int32(SOCK_STREAM.rawValue)
    static let nonBlocking = Int32(SOCK_NONBLOCK.rawValue)
    static let closeOnExec = Int32(SOCK_CLOEXEC.rawValue)

    /// OpenSSL writes without MSG_NOSIGNAL: SIGPIPE must not end the process. For the calling thread.
    static func blockBrokenPipe() {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGPIPE)
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    static func listen(at address: ScriptedServer.Address) -> (descriptor: Int32, port: Int) {
        let descriptor: Int32
        switch address {
        case .loopback:
            descriptor = socket(AF_INET, stream | closeOnExec, 0)
            check(bind(descriptor, ipv4Loopback()), "bind")
        case .ipv6Loopback:
            descriptor = socket(AF_INET6, stream | closeOnExec, 0)
            check(bind(descriptor, ipv6Loopback()), "bind")
        case .unix(let path):
            descriptor = socket(AF_UNIX, stream | closeOnExec, 0)
            check(bind(descriptor, unix(path)), "bind")
        }
        check(Glibc.listen(descriptor, 512), "listen")
        if case .unix = address { return (descriptor, 0) }
        return (descriptor, port(of: descriptor))
    }

    static func bindDatagrams() -> (descriptor: Int32, port: Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | closeOnExec, 0)
        check(bind(descriptor, ipv4Loopback()), "bind")
        return (descriptor, port(of: descriptor))
    }

    private static func ipv4Loopback() -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }

    private static func ipv6Loopback() -> sockaddr_in6 {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        unsafe withUnsafeMutableBytes(of: &address.sin6_addr) { unsafe $0[15] = 1 }
        return address
    }

    private static func unix(_ path: String) -> sockaddr_un {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        return address
    }

    private static func bind<Address>(_ descriptor: Int32, _ address: Address) -> Int32 {
        unsafe withUnsafePointer(to: address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe Glibc.bind(descriptor, pointer, socklen_t(MemoryLayout<Address>.size))
            }
        }
    }

    /// The port lies at the same place in both families.
    private static func port(of descriptor: Int32) -> Int {
        var address = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let status = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &length)
            }
        }
        check(status, "getsockname")
        return Int(UInt16(bigEndian: address.sin6_port))
    }

    private static func check(_ status: Int32, _ operation: String) {
        guard status == 0 else { fatalError("\(operation): \(unsafe String(cString: strerror(errno)))") }
    }
}
