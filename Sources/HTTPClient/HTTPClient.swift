package import Addresses
internal import Threads

/// Sends requests and opens byte streams: one thread for all requests, one for all streams, each owning a curl multi
/// handle. Both are handed work through bounded queues.
package final class HTTPClient: Sendable {
    private let transfers: TransferLoop
    private let transferThread: Thread
    private let streams: StreamLoop
    private let streamThread: Thread
    let resolver = Resolver()

    /// - Parameters:
    ///   - maximumConnections: How many requests run at once, and how many connections are kept for reuse; further
    ///     requests wait. As many descriptors are needed.
    ///   - maximumOutstanding: How many requests may run and wait together.
    package init(
        maximumConnections: Int = 1024, maximumOutstanding: Int = 16384, healthInterval: Duration = .seconds(1)
    ) {
        let transfers = TransferLoop(maximumConnections: maximumConnections, maximumOutstanding: maximumOutstanding)
        let streams = StreamLoop(healthInterval: healthInterval)
        self.transfers = transfers
        self.streams = streams
        transferThread = Thread.indispensable(name: "http-client") { transfers.run() }
        streamThread = Thread.indispensable(name: "http-streams") { streams.run() }
    }

    deinit {
        shutdown()
    }

    /// Sends one request; never blocks. Nothing is ever sent twice: where libcurl would send again by itself, the request
    /// fails with `connection_closed`.
    ///
    /// - Parameter completion: Called exactly once, on the client's thread, or on the caller's where the request is
    ///   refused at once (`client_busy`, `shutdown`). Must not block.
    package func send(
        _ request: HTTPClientRequest,
        completion: @escaping @Sendable (Result<HTTPClientResponse, TransportFailure>) -> Void
    ) {
        guard request.proxy != nil, request.addressGuard != nil else {
            return transfers.submit(Exchange(request, completion: completion))
        }
        sendByProxy(request, completion: completion)
    }

    /// Opens a connection for bytes: TCP, or TLS where `tls` is set.
    ///
    /// - Parameters:
    ///   - timeout: For the look-up, the connection and the TLS handshake; later also for how long the other end may
    ///     take in nothing while something waits to be written.
    ///   - maximumQueuedBytes: What may wait to be written; more fails with `client_busy`.
    ///   - completion: Called exactly once, on a client's thread. Must not block.
    package func openStream(
        host: String, port: Int, tls: TLSOptions?, addressGuard: AddressGuard?, timeout: Duration,
        maximumQueuedBytes: Int = 1 << 20,
        completion: @escaping @Sendable (Result<ByteStream, TransportFailure>) -> Void
    ) {
        streams.open(
            StreamRequest(
                host: host, port: port, tls: tls, addressGuard: addressGuard, timeout: timeout,
                maximumQueuedBytes: maximumQueuedBytes, completion: completion))
    }

    /// Ends everything: what is outstanding completes with `shutdown` before this returns (unless this is called from a
    /// completion). Later calls fail with `shutdown` at once.
    package func shutdown() {
        transfers.stop()
        streams.stop()
        transferThread.join()
        streamThread.join()
    }

    /// A proxy would resolve the name by itself, past the guard: so it is resolved and checked here, and the proxy is
    /// told the address.
    private func sendByProxy(
        _ request: HTTPClientRequest,
        completion: @escaping @Sendable (Result<HTTPClientResponse, TransportFailure>) -> Void
    ) {
        guard let (host, port) = Authority.split(request.url), Authority.isHost(host) else {
            return completion(.failure(TransportFailure(.url, "the URL names no host that can be looked up")))
        }
        let (transfers, begun) = (transfers, MonotonicTime.now())
        resolver.addresses(of: host) { result in
            switch result.flatMap({ AddressGuard.permitted($0, of: host, by: request.addressGuard) }) {
            case .success(let addresses):
                guard let address = addresses.first else { return }
                let bracketed = { (text: String) in text.contains(":") ? "[\(text)]" : text }
                let connectTo = "\(bracketed(host)):\(port):\(bracketed(address.description)):\(port)"
                transfers.submit(Exchange(request, connectTo: connectTo, begun: begun, completion: completion))
            case .failure(let failure): completion(.failure(failure))
            }
        }
    }
}
