internal import Addresses
internal import CMicroHTTPD
internal import Glibc
internal import Synchronization
internal import Threads

/// Accepts clients, makes room for them, and ends connections whose time is over. One thread of its own.
final class Keeper: Sendable {
    private static let acceptsAtOnce = 64

    private let core: ServerCore
    // Stopped and freed only once the thread is done (`finish`).
    private let daemon: Mutex<Daemon?>
    private let listener: Mutex<ListenSocket?>
    private let wakeUp: WakeUp
    private let isAccepting = Atomic(false)
    private let isFinished = Atomic(false)
    private let thread = Mutex<Thread?>(nil)

    init(_ core: ServerCore, daemon: consuming Daemon, listener: consuming ListenSocket) throws(HTTPServerError) {
        wakeUp = try WakeUp()
        self.core = core
        self.daemon = Mutex(daemon)
        self.listener = Mutex(listener)
    }

    /// Starts the thread, which accepts nobody before `startAccepting`.
    func launch() throws(HTTPServerError) {
        do throws(ThreadError) {
            let started = try Thread(name: "http-keeper") { self.run() }
            thread.withLock { $0 = started }
        } catch {
            throw HTTPServerError(.library, "\(error)", systemError: error.systemError)
        }
    }

    func startAccepting() {
        isAccepting.store(true, ordering: .releasing)
        wakeUp.wake()
    }

    /// Closes the listening socket: new clients are refused from here on.
    func stopAccepting() {
        listener.withLock { $0 = nil }
        wakeUp.wake()
    }

    /// Ends the thread, then the library's, and with them every connection. None may be suspended.
    func finish() {
        stopAccepting()
        isFinished.store(true, ordering: .releasing)
        wakeUp.wake()
        thread.withLock { $0.take() }?.join()
        daemon.withLock { $0 = nil }
        core.closeLingering()
    }

    private func run() {
        var nextLook: UInt64 = 0
        // Whom there is no room for stays in the backlog until then: accepting again at once would only burn time.
        var acceptAgainAt: UInt64 = 0
        while !isFinished.load(ordering: .acquiring) {
            let now = monotonicMicroseconds()
            if now >= nextLook {
                nextLook = now + core.deadlines.tick
                core.expireOverdue(now: now)
                core.drainLingering(now: now)
            }
            let mayAccept = now >= acceptAgainAt
            let next = mayAccept ? nextLook : min(nextLook, acceptAgainAt)
            let isThere = waitForClients(accepting: mayAccept, microseconds: next - now)
            if isThere { acceptAgainAt = now + acceptClients() }
        }
    }

    /// Waits until a client is there, somebody wakes us, or the time is over. Whether a client is there.
    private func waitForClients(accepting: Bool, microseconds: UInt64) -> Bool {
        let mayAccept = accepting && isAccepting.load(ordering: .acquiring)
        let listening = mayAccept ? listener.withLock { $0?.descriptor ?? -1 } : -1
        let timeout = Int32(clamping: microseconds / 1000 + 1)
        var ready = (
            pollfd(fd: wakeUp.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: listening, events: Int16(POLLIN), revents: 0)
        )
        unsafe withUnsafeMutableBytes(of: &ready) {
            _ = unsafe poll($0.assumingMemoryBound(to: pollfd.self).baseAddress, 2, timeout)
        }
        if ready.0.revents != 0 { wakeUp.clear() }
        return ready.1.revents != 0
    }

    /// Takes on the clients that are there, up to a bound.
    /// - Returns: for how many microseconds the others are to wait: the process has no descriptor left, or all places are
    ///   taken.
    private func acceptClients() -> UInt64 {
        for number in 0..<Self.acceptsAtOnce {
            if core.isFull {
                // Nobody gives way before somebody is known to be there.
                guard number == 0 else { return 0 }
                guard core.makeRoom() else { return 5_000 }
            }
            switch acceptOne() {
            case 0, ECONNABORTED, EINTR, EPERM: continue
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: return 50_000
            default: return 0
            }
        }
        return 0
    }

    /// 0 or the reason why no client was accepted.
    private func acceptOne() -> Int32 {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return unsafe withUnsafeMutablePointer(to: &address) { storage in
            unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                // Under the lock, or the descriptor's number could be another file's by now.
                let (client, code) = listener.withLock { listener -> (Int32, Int32) in
                    guard let descriptor = listener?.descriptor else { return (-1, EAGAIN) }
                    let client = unsafe gatehouse_mhd_accept(descriptor, generic, &length)
                    return (client, errno)
                }
                guard client >= 0 else { return code }
                unsafe add(client, generic, length)
                return 0
            }
        }
    }

    private func add(_ client: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) {
        let peer = unsafe IPAddress(socketAddress: address, length: Int(length))
        let connection = core.accepted(client, peer: peer)
        let isAdded = daemon.withLock { daemon in
            guard daemon != nil else { return false }
            return unsafe daemon!.add(client, address, length)
        }
        // The library has closed the descriptor: its number is only forgotten.
        if !isAdded { core.closed(connection) }
    }
}
