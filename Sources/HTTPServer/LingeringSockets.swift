internal import CMicroHTTPD
internal import Glibc

/// Sockets of connections that were answered and closed while the client was still sending.
///
/// Closing a socket with unread bytes resets the connection, and the reset may overtake the answer: the client would see
/// a failure where it was told what is wrong. So a second descriptor keeps such a socket open for a moment, and what
/// still comes is thrown away.
struct LingeringSockets {
    static let maximum = 256
    /// Microseconds.
    static let time: UInt64 = 2_000_000
    /// Bytes thrown away of each socket at one look.
    private static let gulp = 256 * 1024

    private var sockets: [(descriptor: Int32, until: UInt64)] = []

    var isEmpty: Bool { sockets.isEmpty }

    /// Keeps a copy of a descriptor that is about to be closed; not beyond the maximum.
    mutating func keep(_ descriptor: Int32, now: UInt64) {
        guard sockets.count < Self.maximum else { return }
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        if copy >= 0 { sockets.append((copy, now + Self.time)) }
    }

    /// Throws away what came, and lets go of the sockets whose client is done or whose time is over.
    mutating func drain(now: UInt64) {
        guard !sockets.isEmpty else { return }
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        sockets.removeAll { socket in
            guard now < socket.until, Self.mayGoOn(socket.descriptor, &buffer) else {
                close(socket.descriptor)
                return true
            }
            return false
        }
    }

    mutating func closeAll() {
        for socket in sockets { close(socket.descriptor) }
        sockets = []
    }

    private static func mayGoOn(_ descriptor: Int32, _ buffer: inout [UInt8]) -> Bool {
        var taken = 0
        while taken < gulp {
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe recv(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT))
            }
            if count == 0 { return false }
            if count < 0 { return errno == EAGAIN || errno == EINTR }
            taken += count
        }
        return true
    }
}
