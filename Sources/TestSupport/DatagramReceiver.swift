import CCurl
import Foundation
import Glibc
import Synchronization

/// Takes UDP datagrams on 127.0.0.1. It stops when the value goes.
package final class DatagramReceiver: Sendable {
    private final class Shared: Sendable {
        let messages = Mutex<[[UInt8]]>([])
    }

    package let port: Int
    private let descriptor: Int32
    private let shared = Shared()

    package init() {
        (descriptor, port) = SocketAddress.bindDatagrams()
        let (descriptor, shared) = (descriptor, shared)
        Thread.detachNewThread {
            // Closed by the thread that uses it: closed by another, its number could be somebody else's socket meanwhile.
            defer { close(descriptor) }
            var bytes = [UInt8](repeating: 0, count: 65536)
            while true {
                let count = unsafe recv(descriptor, &bytes, bytes.count, 0)
                guard count > 0 else { return }
                shared.messages.withLock { $0.append(Array(bytes[..<count])) }
            }
        }
    }

    deinit {
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// What came so far, in order.
    package var messages: [[UInt8]] { shared.messages.withLock { $0 } }
}
