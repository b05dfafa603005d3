import Addresses
import Glibc
import HTTPClient
import HTTPTypes
import Synchronization
import Testing

/// One client for all tests: they also show that none gets in another's way.
let client = HTTPClient()

let loopbackAllowed = AddressGuard(allow: ["127.0.0.0/8", "::1/128"].compactMap { IPNetwork($0) })

extension HTTPClient {
    func send(_ request: HTTPClientRequest) async -> Result<HTTPClientResponse, TransportFailure> {
        await withCheckedContinuation { continuation in
            send(request) { continuation.resume(returning: $0) }
        }
    }

    func openStream(
        port: Int, host: String = "127.0.0.1", tls: TLSOptions? = nil, addressGuard: AddressGuard? = nil,
        timeout: Duration = .seconds(10), maximumQueuedBytes: Int = 1 << 20
    ) async -> Result<ByteStream, TransportFailure> {
        await withCheckedContinuation { continuation in
            openStream(
                host: host, port: port, tls: tls, addressGuard: addressGuard, timeout: timeout,
                maximumQueuedBytes: maximumQueuedBytes
            ) { continuation.resume(returning: $0) }
        }
    }
}

extension ByteStream {
    func write(_ bytes: [UInt8]) async -> Result<Void, TransportFailure> {
        await withCheckedContinuation { continuation in
            write(bytes) { continuation.resume(returning: $0) }
        }
    }
}

extension Result where Failure == TransportFailure {
    var failure: TransportFailure? { if case .failure(let failure) = self { failure } else { nil } }
    var code: TransportFailure.Code? { failure?.code }
}

/// Values gathered from several threads.
final class Collected<Value: Sendable>: Sendable {
    private let storage = Mutex<[Value]>([])

    func append(_ value: Value) { storage.withLock { $0.append(value) } }
    var values: [Value] { storage.withLock { $0 } }
    var count: Int { storage.withLock { $0.count } }
}

/// For scripts, which have threads of their own.
func pause(milliseconds: UInt32) {
    usleep(milliseconds * 1000)
}
