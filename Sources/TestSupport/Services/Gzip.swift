import CZLIB

/// Reads what was compressed by another program.
enum Gzip {
    /// Nil for what is no whole gzip member, or is larger than the limit.
    static func inflate(_ bytes: [UInt8], atMost limit: Int) -> [UInt8]? {
        var stream = unsafe z_stream()
        let size = unsafe Int32(MemoryLayout<z_stream>.size)
        guard unsafe inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, size) == Z_OK else { return nil }
        defer { unsafe inflateEnd(&stream) }
        var input = bytes
        var output: [UInt8] = []
        return unsafe input.withUnsafeMutableBufferPointer { input in
            unsafe stream.next_in = input.baseAddress
            unsafe stream.avail_in = UInt32(input.count)
            while true {
                var chunk = [UInt8](repeating: 0, count: 65_536)
                let status = unsafe chunk.withUnsafeMutableBufferPointer { chunk in
                    unsafe stream.next_out = chunk.baseAddress
                    unsafe stream.avail_out = UInt32(chunk.count)
                    return unsafe CZLIB.inflate(&stream, Z_NO_FLUSH)
                }
                output += chunk.prefix(65_536 - Int(unsafe stream.avail_out))
                guard output.count <= limit else { return nil }
                if status == Z_STREAM_END { return unsafe stream.avail_in == 0 ? output : nil }
                guard status == Z_OK else { return nil }
            }
        }
    }
}
