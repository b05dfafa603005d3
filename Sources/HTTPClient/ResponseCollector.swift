import CCurl
import HTTPTypes

/// Gathers one answer within bounds: the context of libcurl's header and body callbacks.
final class ResponseCollector {
    /// All header lines of one exchange together, those of `1xx` answers included.
    static let maximumHeaderBytes = 64 * 1024
    /// What is read past the kept part of a body, so that the connection can be used again; a longer answer costs it.
    static let maximumDrainedBytes = 1024 * 1024

    private var headerBytes: [UInt8] = []
    private var headerTotal = 0
    private var body: [UInt8] = []
    private var bodyTotal = 0
    private var maximumBody = 0

    private(set) var isHeaderTooLarge = false
    /// The empty line after the final answer's header came: libcurl takes an answer that breaks off before it for whole.
    private(set) var isHeadComplete = false
    /// The answer was cut off after its kept part: it is an answer nevertheless.
    private(set) var isAbandoned = false

    init(easy: EasyHandle) {
        // Unretained: this object and the handle have one owner, and the handle calls only while that owner holds both.
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe easy.set(CURLOPT_HEADERDATA, pointer: context)
        unsafe gatehouse_curl_set_receiver(easy.handle, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            guard let context = unsafe context, let bytes = unsafe bytes else { return 0 }
            let line = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
            return unsafe ResponseCollector.from(context).receive(headerLine: line) ? size * count : 0
        }
        unsafe easy.set(CURLOPT_WRITEDATA, pointer: context)
        unsafe gatehouse_curl_set_receiver(easy.handle, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            guard let context = unsafe context, let bytes = unsafe bytes else { return 0 }
            let chunk = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
            return unsafe ResponseCollector.from(context).receive(bodyChunk: chunk) ? size * count : 0
        }
    }

    func begin(maximumBody: Int) {
        self.maximumBody = max(0, maximumBody)
        headerBytes.removeAll(keepingCapacity: true)
        headerTotal = 0
        body = []
        bodyTotal = 0
        isHeaderTooLarge = false
        isHeadComplete = false
        isAbandoned = false
    }

    func response(status: Int, duration: Duration) -> HTTPClientResponse {
        HTTPClientResponse(
            status: status, headerLines: headerBytes, body: body, isTruncated: bodyTotal > body.count,
            duration: duration)
    }

    /// Lets go of a large answer's memory.
    func release() {
        body = []
        if headerBytes.capacity > 8192 { headerBytes = [] }
    }

    private static func from(_ context: UnsafeMutableRawPointer) -> ResponseCollector {
        unsafe Unmanaged<ResponseCollector>.fromOpaque(context).takeUnretainedValue()
    }

    private func receive(headerLine: UnsafeRawBufferPointer) -> Bool {
        headerTotal += headerLine.count
        guard headerTotal <= Self.maximumHeaderBytes else {
            isHeaderTooLarge = true
            return false
        }
        // Trailers (RFC 9112, section 7.1.2) say nothing that anybody here acts on.
        guard bodyTotal == 0 else { return true }
        if unsafe headerLine.starts(with: [0x48, 0x54, 0x54, 0x50, 0x2f]) {  // "HTTP/": a new block, after a 1xx one.
            headerBytes.removeAll(keepingCapacity: true)
            isHeadComplete = false
            return true
        }
        if unsafe headerLine.first == UInt8(ascii: "\r") || headerLine.first == UInt8(ascii: "\n") {
            isHeadComplete = true
            return true
        }
        unsafe headerBytes.append(contentsOf: headerLine)
        return true
    }

    private func receive(bodyChunk: UnsafeRawBufferPointer) -> Bool {
        bodyTotal += bodyChunk.count
        let room = maximumBody - body.count
        if room > 0 { unsafe body.append(contentsOf: bodyChunk.prefix(room)) }
        guard bodyTotal <= maximumBody + Self.maximumDrainedBytes else {
            isAbandoned = true
            return false
        }
        return true
    }
}
