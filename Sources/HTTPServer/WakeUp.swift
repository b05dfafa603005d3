internal import CMicroHTTPD
internal import Glibc

/// Ends another thread's `poll`, from any thread.
struct WakeUp: ~Copyable, Sendable {
    /// To be polled for reading.
    let descriptor: Int32
    private let end: Int32

    init() throws(HTTPServerError) {
        var pair: (Int32, Int32) = (-1, -1)
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let made = unsafe withUnsafeMutableBytes(of: &pair) {
            unsafe socketpair(AF_UNIX, kind, 0, $0.assumingMemoryBound(to: Int32.self).baseAddress)
        }
        guard made == 0 else {
            let code = errno
            throw HTTPServerError(
                .descriptors, "No file descriptor is left: \(systemMessage(code)).", systemError: code)
        }
        (descriptor, end) = pair
    }

    deinit {
        close(descriptor)
        close(end)
    }

    func wake() {
        var byte: UInt8 = 1
        // When it is full, the other thread has been woken often enough.
        _ = unsafe send(end, &byte, 1, Int32(MSG_NOSIGNAL))
    }

    func clear() {
        var bytes: (UInt64, UInt64) = (0, 0)
        while unsafe recv(descriptor, &bytes, 16, 0) == 16 {}
    }
}
