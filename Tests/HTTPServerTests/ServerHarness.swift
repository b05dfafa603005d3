import Glibc
import HTTPServer
import HTTPTypes
import Synchronization

/// Answers by a closure; records what it was asked.
final class ScriptedHandler: HTTPHandler {
    let heads = Mutex<[HTTPRequestHead]>([])
    private let decide: @Sendable (HTTPRequestHead) -> HTTPAdmission

    init(_ decide: @escaping @Sendable (HTTPRequestHead) -> HTTPAdmission) {
        self.decide = decide
    }

    /// Takes any body up to 1 MiB and answers with it.
    static func echo() -> ScriptedHandler {
        ScriptedHandler { head in
            .buffered(head, maximum: 1 << 20) { body, exchange in
                exchange.respond(HTTPResponse(status: 200, headers: ["X-Path": head.path], body: body))
            }
        }
    }

    func receive(_ head: HTTPRequestHead) -> HTTPAdmission {
        heads.withLock { $0.append(head) }
        return decide(head)
    }
}

/// A server on a port of the kernel's choosing.
func startServer(
    _ handler: any HTTPHandler, listen: HTTPListenAddress = .tcp(host: "127.0.0.1", port: 0),
    tls: HTTPServerTLS? = nil, _ adjust: (inout HTTPServerConfiguration) -> Void = { _ in }
) throws -> HTTPServer {
    var configuration = HTTPServerConfiguration(listen: listen, tls: tls)
    adjust(&configuration)
    let server = try HTTPServer(configuration, handler: handler)
    server.start()
    return server
}

/// Waits until a condition holds; `false` after the deadline.
func eventually(within seconds: Double = 10, _ condition: () -> Bool) -> Bool {
    let end = ContinuousClock.now + .milliseconds(Int(seconds * 1000))
    while ContinuousClock.now < end {
        if condition() { return true }
        usleep(2000)
    }
    return condition()
}

/// Receives a body by closures.
final class ScriptedReceiver: HTTPBodyReceiver {
    private let chunk: @Sendable ([UInt8]) -> HTTPResponse?
    private let finished: @Sendable (HTTPExchange) -> Void
    private let abandoned: @Sendable (HTTPAbandonReason) -> Void

    init(
        chunk: @escaping @Sendable ([UInt8]) -> HTTPResponse?, finish: @escaping @Sendable (HTTPExchange) -> Void,
        abandon: @escaping @Sendable (HTTPAbandonReason) -> Void = { _ in }
    ) {
        self.chunk = chunk
        finished = finish
        abandoned = abandon
    }

    func receive(_ chunk: UnsafeRawBufferPointer) -> HTTPResponse? { unsafe self.chunk(Array(chunk)) }
    func finish(_ exchange: HTTPExchange) { finished(exchange) }
    func abandon(_ reason: HTTPAbandonReason) { abandoned(reason) }
}

/// A thread of a test's own: blocking calls do not belong on the few threads that tests share.
final class TestThread {
    private let handle: pthread_t

    init(_ body: @escaping @Sendable () -> Void) {
        let box = unsafe Unmanaged.passRetained(Box(body))
        var handle = pthread_t()
        unsafe pthread_create(
            &handle, nil,
            { context in
                unsafe Unmanaged<Box>.fromOpaque(context!).takeRetainedValue().body()
                return nil
            }, box.toOpaque())
        self.handle = handle
    }

    func join() { pthread_join(handle, nil) }

    private final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}

/// Holds exchanges back until they are taken.
final class Waiting: Sendable {
    private let exchanges = Mutex<[HTTPExchange]>([])

    var count: Int { exchanges.withLock { $0.count } }

    func take() -> [HTTPExchange] {
        exchanges.withLock { exchanges in
            defer { exchanges = [] }
            return exchanges
        }
    }

    var handler: ScriptedHandler {
        ScriptedHandler { head in
            .buffered(head, maximum: 100) { [self] _, exchange in exchanges.withLock { $0.append(exchange) } }
        }
    }
}
