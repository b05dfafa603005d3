import CZLIB
import Synchronization

/// `compression:` of a target that speaks HTTP.
enum RequestCompression: String, Sendable, CaseIterable {
    case gzip
}

/// Compresses request bodies (RFC 1952), one at a time. The same body gives the same bytes: there is no time in them.
final class GzipEncoder: Sendable {
    private let stream: Mutex<DeflateStream>

    /// - Throws: when there is no memory for it.
    init() throws(TargetError) {
        stream = Mutex(try DeflateStream())
    }

    func compress(_ body: [UInt8]) -> [UInt8] {
        stream.withLock { $0.compress(body) }
    }
}

/// zlib's state, owned: about 256 KiB, used again for every body.
@safe private struct DeflateStream: ~Copyable, @unchecked Sendable {
    // Sendable: the pointer never leaves, and whoever owns the value is the only one who uses it.

    /// zlib keeps a pointer back to it, so it stays where it is.
    private let stream: UnsafeMutablePointer<z_stream>

    /// Sending shares a thread with all targets; the better ratio of a higher level takes several times as long.
    private static let level = Z_BEST_SPEED

    init() throws(TargetError) {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        guard unsafe gatehouse_gzip_init(stream, Self.level) == Z_OK else {
            unsafe stream.deallocate()
            throw TargetError("there is no memory for `compression:`")
        }
        unsafe self.stream = unsafe stream
    }

    deinit {
        unsafe deflateEnd(stream)
        unsafe stream.deallocate()
    }

    mutating func compress(_ body: [UInt8]) -> [UInt8] {
        guard let length = UInt32(exactly: body.count) else { fatalError("a request body of more than 4 GiB") }
        unsafe deflateReset(stream)
        let bound = unsafe Int(deflateBound(stream, UInt(body.count)))
        return unsafe [UInt8](unsafeUninitializedCapacity: bound) { output, count in
            let status = unsafe body.withUnsafeBufferPointer { input in
                // zlib does not write to its input, though its declaration does not say so.
                unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                unsafe stream.pointee.avail_in = length
                unsafe stream.pointee.next_out = output.baseAddress
                unsafe stream.pointee.avail_out = UInt32(clamping: bound)
                return unsafe deflate(stream, Z_FINISH)
            }
            precondition(status == Z_STREAM_END, "deflateBound was too small")
            count = unsafe Int(stream.pointee.total_out)
        }
    }
}
