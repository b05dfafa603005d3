import CCurl
import Glibc

/// Waits for the sockets of one multi handle, and looks only at those something happens on: libcurl's own waiting looks at
/// all of them for each, several system calls a request.
///
/// libcurl lets go of a socket at the end of each request and takes it up again at the next. A socket that this program
/// opened stays watched in between, as long as nothing happens on it: most requests then cost no call for watching.
///
/// Belongs to the thread of its loop, but for `wake`.
@safe final class SocketWatch: @unchecked Sendable {
    // Sendable for `wake` alone, which writes to a descriptor that never changes.

    private struct Watched {
        /// What the kernel tells of: EPOLLIN, EPOLLOUT.
        var events: UInt32
        /// libcurl waits for it now.
        var isWanted: Bool
    }

    private let epoll: Int32
    private let waking: Int32
    private var watched: [Int32: Watched] = [:]
    /// Sockets whose closing is told.
    private var own: Set<Int32> = []
    private var ready = unsafe [epoll_event](repeating: epoll_event(), count: 256)
    /// When libcurl wants to be called although nothing happened.
    private(set) var timer: MonotonicTime?

    init() {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        waking = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard epoll >= 0, waking >= 0 else { fatalError("the system gives no descriptor to wait with") }
        control(EPOLL_CTL_ADD, waking, EPOLLIN.rawValue)
    }

    deinit {
        close(waking)
        close(epoll)
    }

    /// Ends `wait`. From any thread.
    func wake() {
        var one: UInt64 = 1
        _ = unsafe write(waking, &one, MemoryLayout<UInt64>.size)
    }

    /// Waits until something happens on a socket, `wake`, the timer, or the time to pass; then tells what happened, as
    /// CURL_CSELECT_IN and CURL_CSELECT_OUT.
    func wait(milliseconds: Int, _ handle: (_ socket: Int32, _ events: Int32) -> Void) {
        let untilTimer = timer.map { MonotonicTime.now().milliseconds(until: $0) } ?? milliseconds
        let timeout = Int32(clamping: max(0, min(milliseconds, untilTimer)))
        let count = unsafe ready.withUnsafeMutableBufferPointer { ready in
            unsafe epoll_wait(epoll, ready.baseAddress, Int32(ready.count), timeout)
        }
        for index in 0..<max(0, Int(count)) {
            let (socket, events) = unsafe (ready[index].data.fd, ready[index].events)
            if socket == waking {
                var count: UInt64 = 0
                _ = unsafe read(waking, &count, MemoryLayout<UInt64>.size)
            } else if let actions = actions(socket, events) {
                handle(socket, actions)
            }
        }
    }

    /// Whether the timer is due; it is then gone.
    func takeTimer(now: MonotonicTime) -> Bool {
        guard let timer, timer <= now else { return false }
        self.timer = nil
        return true
    }

    private func actions(_ socket: Int32, _ events: UInt32) -> Int32? {
        guard let known = watched[socket], known.isWanted else {
            // An idle connection that its peer ends, or that says something unasked: libcurl finds out when it uses it.
            forget(socket)
            return nil
        }
        // What is wrong with a socket shows itself to who reads or writes it.
        let isBroken = events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0
        var actions: Int32 = 0
        if events & EPOLLIN.rawValue != 0 || isBroken { actions |= CURL_CSELECT_IN }
        if events & EPOLLOUT.rawValue != 0 || (isBroken && known.events & EPOLLOUT.rawValue != 0) {
            actions |= CURL_CSELECT_OUT
        }
        return actions
    }

    // MARK: What libcurl tells

    /// CURLMOPT_SOCKETFUNCTION.
    func want(_ socket: Int32, _ what: Int32) {
        guard what != CURL_POLL_REMOVE else {
            if own.contains(socket) { watched[socket]?.isWanted = false } else { forget(socket) }
            return
        }
        let events =
            (what & CURL_POLL_IN != 0 ? EPOLLIN.rawValue : 0) | (what & CURL_POLL_OUT != 0 ? EPOLLOUT.rawValue : 0)
        let known = watched[socket]
        if known?.events != events { control(known == nil ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, socket, events) }
        watched[socket] = Watched(events: events, isWanted: true)
    }

    /// CURLMOPT_TIMERFUNCTION.
    /// - Parameter milliseconds: -1: no timer.
    func setTimer(milliseconds: Int) {
        timer = milliseconds < 0 ? nil : MonotonicTime.now().advanced(by: .milliseconds(milliseconds))
    }

    /// Of a socket whose closing `close` will be told.
    func opened(_ socket: Int32) {
        watched[socket] = nil
        own.insert(socket)
    }

    /// CURLOPT_CLOSESOCKETFUNCTION.
    func closing(_ socket: Int32) {
        own.remove(socket)
        // The kernel forgets a closed socket by itself.
        watched[socket] = nil
    }

    private func forget(_ socket: Int32) {
        guard watched.removeValue(forKey: socket) != nil else { return }
        control(EPOLL_CTL_DEL, socket, 0)
    }

    private func control(_ operation: Int32, _ socket: Int32, _ events: UInt32) {
        var event = unsafe epoll_event(events: events, data: epoll_data_t(fd: socket))
        _ = unsafe epoll_ctl(epoll, operation, socket, &event)
    }
}
