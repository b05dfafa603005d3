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
        // While the process has no descriptor left, clients stay in the backlog until then: accepting again at once
        // would only burn time.
        var acceptAgainAt: UInt64 = 0
        while !isFinished.load(ordering: .acquiring) {
            let now = monotonicMicroseconds()
            if now >= nextLook {
                nextLook = now + core.deadlines.tick
                core.expireOverdue(now: now)
                core.drainLingering(now: now)
            }
            let isThere = waitForClients(accepting: now >= acceptAgainAt, microseconds: nextLook - now)
            if isThere, !acceptClients() { acceptAgainAt = now + 50_000 }
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

    /// Takes on the clients that are there, up to a bound; `false` when the process has no descriptor left.
    private func acceptClients() -> Bool {
        for _ in 0..<Self.acceptsAtOnce {
            switch acceptOne() {
            case 0, ECONNABORTED, EINTR, EPERM: continue
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: return false
            default: return true
            }
        }
        return true
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
        core.makeRoom()
        let peer = unsafe IPAddress(socketAddress: address, length: Int(length))
        guard let connection = core.accepted(client, peer: peer) else {
            close(client)
            return
        }
        let isAdded = daemon.withLock { daemon in
            guard daemon != nil else { return false }
            return unsafe daemon!.add(client, address, length)
        }
        // The library has closed the descriptor: its number is only forgotten.
        if !isAdded { core.closed(connection) }
    }
}
