internal import Glibc
internal import Synchronization

/// Lets one thread sleep until another has something for it, or until a moment: a pair of connected sockets.
final class WakeUp: Sendable {
    private let sleeper: Int32
    private let caller: Int32
    /// Set between a signal and the sleeper's waking, so that a busy sleeper costs its callers no system call.
    private let isSignalled = Atomic(false)

    init() throws(DeliveryStoreError) {
        var pair: (Int32, Int32) = (-1, -1)
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let made = unsafe withUnsafeMutableBytes(of: &pair) {
            unsafe socketpair(AF_UNIX, kind, 0, $0.assumingMemoryBound(to: Int32.self).baseAddress)
        }
        guard made == 0 else { throw DeliveryStoreError("no file descriptor is left for the delivery thread") }
        (sleeper, caller) = pair
    }

    deinit {
        close(sleeper)
        close(caller)
    }

    /// Sleeps; nothing wakes it.
    static func pause(milliseconds: Int32) {
        _ = poll(nil, 0, milliseconds)
    }

    func signal() {
        guard !isSignalled.exchange(true, ordering: .sequentiallyConsistent) else { return }
        var byte: UInt8 = 1
        _ = unsafe send(caller, &byte, 1, Int32(MSG_NOSIGNAL))
    }

    /// - Parameter milliseconds: at most; nil without end.
    func wait(milliseconds: Int64?) {
        var descriptors = pollfd(fd: sleeper, events: Int16(POLLIN), revents: 0)
        let timeout = milliseconds.map { Int32(clamping: max(0, $0)) } ?? -1
        _ = unsafe poll(&descriptors, 1, timeout)
        var byte: UInt8 = 0
        while unsafe recv(sleeper, &byte, 1, 0) == 1 {}
        // Before the sleeper looks for work: what is signalled from here on wakes it again.
        isSignalled.store(false, ordering: .sequentiallyConsistent)
    }
}
