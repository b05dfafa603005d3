internal import Glibc
internal import Synchronization

/// A syslog receiver over TCP with octet counting (RFC 6587, section 3.4.1), as small as one can be.
final class SyslogListener: Sendable {
    let port: Int
    private let descriptor: Int32
    private let received: @Sendable (String) -> Void

    init(_ received: @escaping @Sendable (String) -> Void) throws {
        self.received = received
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let bound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe bind(descriptor, pointer, length) == 0 && listen(descriptor, 16) == 0
                    && getsockname(descriptor, pointer, &length) == 0
            }
        }
        guard bound else { throw CommandFailure("no port for the syslog listener") }
        port = Int(UInt16(bigEndian: address.sin_port))
        background { [self] in
            while true {
                let client = accept(descriptor, nil, nil)
                guard client >= 0 else { return }
                background { [self] in
                    self.serve(client)
                    close(client)
                }
            }
        }
    }

    private func serve(_ client: Int32) {
        var pending: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(client, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            pending += buffer[..<count]
            while let message = Self.takeMessage(&pending) { received(String(decoding: message, as: UTF8.self)) }
        }
    }

    /// `LENGTH SP MESSAGE`; nil while it is not complete.
    private static func takeMessage(_ pending: inout [UInt8]) -> [UInt8]? {
        guard let space = pending.firstIndex(of: 0x20),
            let length = Int(String(decoding: pending[..<space], as: UTF8.self)),
            pending.count >= space + 1 + length
        else { return nil }
        let message = Array(pending[(space + 1)..<(space + 1 + length)])
        pending.removeFirst(space + 1 + length)
        return message
    }
}
