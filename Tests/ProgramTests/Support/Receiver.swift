import Foundation
import Glibc
import Synchronization
import TestSupport

/// What a receiver does with the bytes of one connection.
protocol ReceiverConnection: AnyObject {
    /// - Returns: what to answer; nil to close the connection.
    func received(_ bytes: Data) -> Data?
}

/// A TCP server on a loopback port of the kernel's choice, all its connections served by one thread, so that one knows
/// when it has read all that was ever sent to it.
final class Receiver: Sendable {
    private struct State {
        var isStopped = false
        var isSettled = false
    }

    private final class Shared: Sendable {
        let state = Mutex(State())
    }

    let port: Int
    private let wake: Int32
    private let shared = Shared()

    /// - Parameter port: 0 for the kernel's choice.
    init(port: Int = 0, _ make: @escaping @Sendable () -> any ReceiverConnection) throws {
        let listener = try Self.listen(port)
        self.port = try Self.port(of: listener)
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        guard unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw Failure("socketpair") }
        let woken = ends[0]
        wake = ends[1]
        let shared = shared
        Thread.detachNewThread {
            ReceiverLoop(listener: listener, wake: woken, make: make).run { isSettled in
                shared.state.withLock { state in
                    state.isSettled = isSettled
                    return !state.isStopped
                }
            }
            close(listener)
            close(woken)
        }
    }

    deinit {
        shared.state.withLock { $0.isStopped = true }
        wakeUp()
        close(wake)
    }

    private func wakeUp() {
        var byte: UInt8 = 0
        // A full queue wakes it as well.
        _ = unsafe send(wake, &byte, 1, Int32(MSG_NOSIGNAL))
    }

    /// Waits until every connection made so far has ended and all it carried was taken in. Whoever sends must be gone.
    func settle() async -> Bool {
        shared.state.withLock { $0.isSettled = false }
        wakeUp()
        return await poll(deadline: patience) { shared.state.withLock(\.isSettled) }
    }

    static func unusedPort() throws -> Int {
        let listener = try listen(0)
        defer { close(listener) }
        return try port(of: listener)
    }

    private static func listen(_ port: Int) throws -> Int32 {
        let flags = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let listener = socket(AF_INET, flags, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
        var yes: Int32 = 1
        unsafe setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        let status = unsafe withUnsafePointer(to: address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0, Glibc.listen(listener, 512) == 0 else { throw Failure("a receiver could not listen") }
        return listener
    }

    private static func port(of listener: Int32) throws -> Int {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(listener, $0, &length)
            }
        }
        guard status == 0 else { throw Failure("getsockname") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}

/// The thread of a receiver.
private final class ReceiverLoop {
    private let listener: Int32
    private let wake: Int32
    private let make: () -> any ReceiverConnection
    private var connections: [Int32: any ReceiverConnection] = [:]

    init(listener: Int32, wake: Int32, make: @escaping () -> any ReceiverConnection) {
        self.listener = listener
        self.wake = wake
        self.make = make
    }

    /// - Parameter report: told after each round whether nothing is open or waiting; returns whether to go on.
    func run(_ report: (Bool) -> Bool) {
        while report(connections.isEmpty && !isConnecting) {
            var polled = [listener, wake] + connections.keys
            var entries = polled.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            _ = unsafe Glibc.poll(&entries, nfds_t(entries.count), 1000)
            polled = entries.filter { $0.revents != 0 }.map(\.fd)
            for descriptor in polled {
                if descriptor == listener {
                    accept()
                } else if descriptor == wake {
                    var byte: UInt8 = 0
                    _ = unsafe recv(wake, &byte, 1, 0)
                } else {
                    serve(descriptor)
                }
            }
        }
        for descriptor in connections.keys { close(descriptor) }
    }

    /// Whether a connection waits to be accepted.
    private var isConnecting: Bool {
        var entry = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
        return unsafe Glibc.poll(&entry, 1, 0) > 0
    }

    private func accept() {
        while true {
            let descriptor = Glibc.accept(listener, nil, nil)
            guard descriptor >= 0 else { return }
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            connections[descriptor] = make()
        }
    }

    private func serve(_ descriptor: Int32) {
        var bytes = Data(count: 65536)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
        if count > 0, let answer = connections[descriptor]?.received(bytes.prefix(count)) {
            guard !answer.isEmpty else { return }
            // Answers are small, and whoever does not read them is gone.
            let sent = unsafe answer.withUnsafeBytes {
                unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if sent == answer.count { return }
        }
        connections[descriptor] = nil
        close(descriptor)
    }
}
