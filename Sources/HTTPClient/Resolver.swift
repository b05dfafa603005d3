import Addresses
import Glibc
import Synchronization
import Threads

/// Looks names up off the callers' threads, with a cache. One thread at most for a name, so that a name whose servers
/// hang costs nobody else anything.
final class Resolver: Sendable {
    typealias Completion = @Sendable (Result<[IPAddress], TransportFailure>) -> Void

    private struct Entry {
        var addresses: [IPAddress]
        var refreshAt: MonotonicTime
        /// The end of an answer's use while no newer one comes.
        var expiresAt: MonotonicTime
    }

    private struct State {
        var entries: [String: Entry] = [:]
        /// Look-ups under way or waiting for a thread, with those who wait for them.
        var pending: [String: [Completion]] = [:]
        var threads = 0
        var queued: [String] = []
    }

    private static let freshness = Duration.seconds(60)
    private static let usefulness = Duration.seconds(600)
    private static let maximumEntries = 1024
    private static let maximumThreads = 16
    private static let maximumWaiting = 4096

    private let state = Mutex(State())

    /// The addresses of a literal, or of a name that was looked up lately; nil: ask `addresses(of:)`.
    /// An answer older than a minute is still given while a newer one is fetched.
    func known(_ host: String) -> [IPAddress]? {
        if let literal = IPAddress(host) { return [literal] }
        let now = MonotonicTime.now()
        let (addresses, mustRefresh) = state.withLock { state -> ([IPAddress]?, Bool) in
            guard let entry = state.entries[host], entry.expiresAt > now else { return (nil, false) }
            return (entry.addresses, entry.refreshAt <= now && state.pending[host] == nil)
        }
        if mustRefresh { lookUp(host, completion: nil) }
        return addresses
    }

    /// Completes on a thread of the resolver, or at once where the answer is known.
    func addresses(of host: String, completion: @escaping Completion) {
        if let addresses = known(host) { return completion(.success(addresses)) }
        lookUp(host, completion: completion)
    }

    private func lookUp(_ host: String, completion: Completion?) {
        let (isTaken, mustStart) = state.withLock { state -> (Bool, Bool) in
            let isNew = state.pending[host] == nil
            guard isNew || state.pending[host, default: []].count < Self.maximumWaiting,
                !isNew || state.pending.count < Self.maximumEntries
            else { return (false, false) }
            state.pending[host, default: []] += completion.map { [$0] } ?? []
            guard isNew else { return (true, false) }
            guard state.threads < Self.maximumThreads else {
                state.queued.append(host)
                return (true, false)
            }
            state.threads += 1
            return (true, true)
        }
        guard isTaken else {
            completion?(.failure(TransportFailure(.clientBusy, "too many look-ups are waiting: try again later")))
            return
        }
        guard mustStart else { return }
        do throws(ThreadError) {
            _ = try Thread(name: "look-up", stackSize: 512 << 10) { [self] in work(host) }
        } catch {
            finish(host, .failure(TransportFailure(.client, "the system gives no thread for a look-up")))
            state.withLock { $0.threads -= 1 }
        }
    }

    private func work(_ first: String) {
        var host: String? = first
        while let name = host {
            finish(name, Self.systemLookUp(name))
            host = state.withLock { state in
                guard !state.queued.isEmpty else {
                    state.threads -= 1
                    return nil
                }
                return state.queued.removeFirst()
            }
        }
    }

    private func finish(_ host: String, _ result: Result<[IPAddress], TransportFailure>) {
        let now = MonotonicTime.now()
        let waiting = state.withLock { state -> [Completion] in
            switch result {
            case .success(let addresses):
                if state.entries.count >= Self.maximumEntries { state.entries.removeAll() }
                state.entries[host] = Entry(
                    addresses: addresses, refreshAt: now.advanced(by: Self.freshness),
                    expiresAt: now.advanced(by: Self.usefulness))
            case .failure:
                state.entries[host]?.refreshAt = now.advanced(by: Self.freshness)
            }
            return state.pending.removeValue(forKey: host) ?? []
        }
        for completion in waiting { completion(result) }
    }

    /// Blocks for as long as the system's resolver takes.
    private static func systemLookUp(_ host: String) -> Result<[IPAddress], TransportFailure> {
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = AF_UNSPEC
        unsafe hints.ai_socktype = SocketType.datagram
        var list: UnsafeMutablePointer<addrinfo>?
        let status = unsafe getaddrinfo(host, nil, &hints, &list)
        defer { if let list = unsafe list { unsafe freeaddrinfo(list) } }
        guard status == 0 else {
            let reason = unsafe String(cString: gai_strerror(status))
            return .failure(TransportFailure(.dns, "the name \(host) has no address (\(reason))"))
        }
        var addresses: [IPAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            if let socketAddress = unsafe entry.pointee.ai_addr,
                let address = unsafe IPAddress(socketAddress: socketAddress, length: Int(entry.pointee.ai_addrlen)),
                !addresses.contains(address)
            {
                addresses.append(address)
            }
            unsafe next = unsafe entry.pointee.ai_next
        }
        guard !addresses.isEmpty else {
            return .failure(TransportFailure(.dns, "the name \(host) has no IP address"))
        }
        return .success(addresses)
    }
}

extension AddressGuard {
    /// The addresses that may be connected to, or why there is none.
    static func permitted(
        _ addresses: [IPAddress], of host: String, by addressGuard: AddressGuard?
    ) -> Result<[IPAddress], TransportFailure> {
        guard let addressGuard else { return .success(addresses) }
        let permitted = addresses.filter { addressGuard.refusal(of: $0) == nil }
        guard permitted.isEmpty, let first = addresses.first, let kind = addressGuard.refusal(of: first) else {
            return .success(permitted)
        }
        let place = host == first.description ? host : "\(first), an address of \(host),"
        return .failure(
            TransportFailure(
                .addressRefused,
                "\(place) is refused (\(kind)); to permit it add `\(addressGuard.suggestion(for: first))` to the target"
            ))
    }
}
