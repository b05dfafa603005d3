import CCurl
import Foundation
import Glibc
package import HTTPTypes
import Synchronization

/// A server on a loopback address or a Unix socket whose every connection runs a script on a thread of its own. The port
/// is chosen by the kernel. It stops when the value goes.
package final class ScriptedServer: Sendable {
    package enum Address: Sendable {
        case loopback
        case ipv6Loopback
        case unix(String)
    }

    private struct State {
        var accepted = 0
        var open: [Int: Int32] = [:]
        var isStopped = false
    }

    private let listener: Int32
    /// 0 for a Unix socket.
    package let port: Int
    private let shared: Shared

    private final class Shared: Sendable {
        let state = Mutex(State())
    }

    /// - Parameters:
    ///   - tls: What connections begin with.
    ///   - tlsOfEach: The same, asked for with each connection.
    ///   - script: What happens on one connection; the connection is closed when it returns.
    package init(
        _ address: Address = .loopback, tls: ServerTLS? = nil, tlsOfEach: (@Sendable () -> ServerTLS?)? = nil,
        script: @escaping @Sendable (ScriptedConnection) -> Void
    ) {
        (listener, port) = SocketAddress.listen(at: address)
        let shared = Shared()
        self.shared = shared
        let listener = listener
        Thread.detachNewThread {
            // Closed by the thread that uses it: closed by another, its number could be somebody else's socket meanwhile.
            defer { close(listener) }
            while true {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else {
                    if errno == EINTR || errno == ECONNABORTED { continue }
                    return
                }
                let number = shared.state.withLock { state -> Int? in
                    guard !state.isStopped else { return nil }
                    defer { state.accepted += 1 }
                    state.open[state.accepted] = descriptor
                    return state.accepted
                }
                guard let number else {
                    close(descriptor)
                    return
                }
                Thread.detachNewThread {
                    SocketAddress.blockBrokenPipe()
                    if let connection = ScriptedConnection(descriptor, number: number, tls: tlsOfEach?() ?? tls) {
                        script(connection)
                    }
                    shared.state.withLock { state in
                        _ = state.open.removeValue(forKey: number)
                        close(descriptor)
                    }
                }
            }
        }
    }

    /// A server that answers every request on kept-open connections.
    package convenience init(
        _ address: Address = .loopback, tls: ServerTLS? = nil,
        answering answer: @escaping @Sendable (ScriptedRequest) -> HTTPResponse
    ) {
        self.init(address, tls: tls) { connection in
            while let request = connection.readRequest() {
                let response = answer(request)
                guard connection.respond(response), !response.closesConnection else { return }
            }
        }
    }

    deinit {
        stop()
    }

    /// How many connections were accepted so far.
    package var connectionCount: Int { shared.state.withLock(\.accepted) }
    /// How many of them are open.
    package var openConnectionCount: Int { shared.state.withLock(\.open.count) }
    /// The URL of the root, for the loopback addresses.
    package func url(_ path: String = "/", scheme: String = "http", host: String = "127.0.0.1") -> String {
        "\(scheme)://\(host):\(port)\(path)"
    }

    /// Refuses further connections and ends the open ones.
    package func stop() {
        let wasRunning = shared.state.withLock { state in
            defer { state.isStopped = true }
            guard !state.isStopped else { return false }
            for descriptor in state.open.values { shutdown(descriptor, Int32(SHUT_RDWR)) }
            return true
        }
        guard wasRunning else { return }
        shutdown(listener, Int32(SHUT_RDWR))
    }
}
