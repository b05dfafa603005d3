internal import Glibc
internal import HTTPTypes
internal import Synchronization

/// An HTTP/1.1 server on one address. It listens from `init` on and serves from `start` to `stop`.
package final class HTTPServer: Sendable {
    private let core: ServerCore
    private let keeper: Keeper
    private let life = Mutex(Life.made)
    /// The port it listens on, chosen by the kernel when 0 was asked for; 0 on a Unix socket.
    package let port: Int

    private enum Life { case made, running, stopped }

    /// Binds the address and reads the certificate.
    ///
    /// - Throws: `addressInUse` and others of `HTTPServerError.Code`, with what to do.
    package init(_ configuration: HTTPServerConfiguration, handler: any HTTPHandler) throws(HTTPServerError) {
        let certificate = try configuration.tls.map { files throws(HTTPServerError) in try TLSCertificate(files) }
        let listener = try ListenSocket(configuration.listen)
        port = listener.port
        core = ServerCore(
            configuration, handler: handler, certificate: certificate, readsHeaderBlock: Daemon.readsHeaderBlock)
        keeper = try Keeper(core, daemon: Daemon(core), listener: listener)
        try keeper.launch()
    }

    deinit {
        stop()
    }

    /// Begins to serve. What connected since `init` is served too.
    package func start() {
        life.withLock {
            guard $0 == .made else { return }
            keeper.startAccepting()
            $0 = .running
        }
    }

    /// Closes the listening socket. Requests on open connections are still served, and each answer closes its connection.
    package func stopAccepting() {
        core.isDraining.store(true, ordering: .relaxed)
        keeper.stopAccepting()
    }

    /// Stops accepting, then waits until every request in hand is answered.
    ///
    /// - Returns: whether all were, in that time. `stop` is still to be called.
    package func drain(within time: Duration) -> Bool {
        stopAccepting()
        return waitForRequests(time)
    }

    /// Answers 503 to every request that still waits for its answer, and to every new one, then closes all connections.
    /// Returns when no thread of the server runs any more. Not to be called on one of them.
    package func stop() {
        let before = life.withLock { life in
            defer { life = .stopped }
            return life
        }
        guard before != .stopped else { return }
        stopAccepting()
        core.isStopping.store(true, ordering: .releasing)
        for connection in core.table.all() { connection.answerIfSuspended(Refusal.shuttingDown.response) }
        // Answers on their way get a second to leave.
        _ = waitForRequests(.seconds(1), in: [.handling, .reply])
        keeper.finish()
    }

    /// Reads the certificate and key files again; new handshakes use them, and running connections keep theirs.
    ///
    /// - Throws: `certificate`; then the old one stays.
    package func reloadCertificate() throws(HTTPServerError) {
        guard let files = core.configuration.tls else { return }
        let certificate = try TLSCertificate(files)
        core.certificate.withLock { $0 = certificate }
    }

    package var statistics: HTTPServerStatistics {
        HTTPServerStatistics(openConnections: core.table.count)
    }

    /// Whether no connection was in one of these phases at some moment of that time.
    private func waitForRequests(
        _ time: Duration, in phases: Set<ConnectionPhase> = [.head, .body, .handling, .reply]
    ) -> Bool {
        let end = monotonicMicroseconds() + time.microseconds
        while core.table.all().contains(where: { phases.contains($0.phaseMark.phase) }) {
            if monotonicMicroseconds() >= end { return false }
            usleep(2000)
        }
        return true
    }
}

/// What a server is doing now.
package struct HTTPServerStatistics: Sendable, Hashable {
    package let openConnections: Int
}
