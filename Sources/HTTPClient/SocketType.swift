import CCurl
import Glibc

/// glibc's socket types as the plain numbers that `socket` and `getaddrinfo` take. They come to Swift by way of the first
/// C module that includes their header, which is why this one file imports both.
enum SocketType {
    static let datagram = Int32(SOCK_DGRAM.rawValue)
    static let closedOnExec = Int32(SOCK_CLOEXEC.rawValue)
    static let nonBlocking = Int32(SOCK_NONBLOCK.rawValue)
}
