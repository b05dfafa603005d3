internal import Addresses
internal import CRdKafka
internal import Glibc
internal import Synchronization

/// Has every connection of a client ask the address guard first: brokers name other brokers, so what the operator wrote
/// says little about where a client goes.
final class GuardedConnecting: Sendable {
    private let addressGuard: AddressGuard
    private let refusal = Mutex<String?>(nil)

    init(_ addressGuard: AddressGuard) {
        self.addressGuard = addressGuard
    }

    /// What was refused last, for people.
    var lastRefusal: String? { refusal.withLock { $0 } }

    /// Where the client's context is a `ClientContext`.
    static func install(in properties: KafkaProperties) {
        guard let pointer = unsafe properties.pointer else { return }
        unsafe gatehouse_kafka_set_connect(pointer) { descriptor, address, length, broker, context in
            guard let address = unsafe address, let connecting = unsafe ClientContext.of(context)?.addresses else {
                return EINVAL
            }
            guard unsafe connecting.permits(address, Int(length), broker) else { return EACCES }
            // The socket does not block: librdkafka waits for it by itself.
            let result = unsafe connect(descriptor, address, socklen_t(length))
            return result == 0 || errno == EINPROGRESS ? 0 : errno
        }
    }

    private func permits(
        _ address: UnsafePointer<sockaddr>, _ length: Int, _ broker: UnsafePointer<CChar>?
    ) -> Bool {
        guard let parsed = unsafe IPAddress(socketAddress: UnsafeRawPointer(address), length: length) else {
            return false
        }
        guard let kind = addressGuard.refusal(of: parsed) else { return true }
        refusal.withLock {
            $0 =
                "a broker is at \(parsed), \(AddressGuard.article(kind)) \(kind) address: add its network to `allow:` if that is right"
        }
        return false
    }
}
