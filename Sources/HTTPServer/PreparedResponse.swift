internal import CMicroHTTPD
internal import HTTPTypes
internal import Synchronization

/// A response as the library sends it. The library counts its users, so it may be shared by connections and threads.
@safe struct PreparedResponse: ~Copyable, @unchecked Sendable {
    private let pointer: OpaquePointer

    /// `nil` only without memory.
    init?(_ response: HTTPResponse, closesConnection: Bool) {
        let made = unsafe response.body.withUnsafeBytes { unsafe gatehouse_mhd_response($0.count, $0.baseAddress) }
        guard let made = unsafe made else { return nil }
        unsafe pointer = made
        for field in response.headers.fields { add(field) }
        if closesConnection || response.closesConnection { add(HeaderField("Connection", "close")) }
    }

    deinit {
        unsafe MHD_destroy_response(pointer)
    }

    /// Queues it as the answer; `false` when the connection can take none any more.
    func queue(on connection: OpaquePointer, status: Int) -> Bool {
        unsafe MHD_queue_response(connection, UInt32(clamping: status), pointer) == .yes
    }

    private func add(_ field: HeaderField) {
        if unsafe MHD_add_response_header(pointer, field.name, field.value) == .yes { return }
        // The library refuses TAB, CR and LF; a value with them would be another header. It writes Content-Length itself.
        guard !HeaderFields.matches(field.name, "Content-Length") else { return }
        _ = unsafe MHD_add_response_header(pointer, field.name, headerSafe(field.value))
    }
}

/// A header value with each control character as a space.
func headerSafe(_ value: String) -> String {
    String(String.UnicodeScalarView(value.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? " " : $0 }))
}

/// Prepared responses by the identity of their content: an answer given again and again from one constant is built once.
///
/// Two arrays in the same memory at the same time are equal, and what the cache holds keeps its memory, so comparing
/// addresses suffices and costs nothing. Answers built anew each time never hit, and enter only by chance.
final class ResponseCache: Sendable {
    private static let largestBody = 1024
    private let slots: Mutex<[Slot]>

    private struct Identity: Equatable {
        let status: Int
        let closesConnection: Bool
        let headers: UInt
        let headerCount: Int
        let body: UInt
        let bodyCount: Int

        init(_ response: HTTPResponse, closesConnection: Bool) {
            status = response.status
            self.closesConnection = closesConnection || response.closesConnection
            (headers, headerCount) = unsafe response.headers.fields.withUnsafeBufferPointer {
                (UInt(bitPattern: $0.baseAddress), $0.count)
            }
            (body, bodyCount) = unsafe response.body.withUnsafeBufferPointer {
                (UInt(bitPattern: $0.baseAddress), $0.count)
            }
        }

        var slot: Int { Int(truncatingIfNeeded: (headers ^ body) >> 5 ^ UInt(closesConnection ? 1 : 0)) & 31 }
    }

    private struct Slot {
        /// What was asked for last: only what is asked for twice in a row is kept.
        var lastMiss: Identity?
        var kept: Kept?
    }

    private final class Kept: Sendable {
        let identity: Identity
        let source: HTTPResponse
        let prepared: PreparedResponse

        init(identity: Identity, source: HTTPResponse, prepared: consuming PreparedResponse) {
            self.identity = identity
            self.source = source
            self.prepared = prepared
        }
    }

    init() {
        slots = Mutex(Array(repeating: Slot(), count: 32))
    }

    /// Answers a connection of the library; `false` when it can take no answer any more.
    func queue(_ response: HTTPResponse, on connection: OpaquePointer, closesConnection: Bool) -> Bool {
        let identity = Identity(response, closesConnection: closesConnection)
        let slot = identity.slot
        let kept: Kept? = slots.withLock {
            if let kept = $0[slot].kept, kept.identity == identity { return kept }
            return nil
        }
        if let kept { return unsafe kept.prepared.queue(on: connection, status: response.status) }
        guard let prepared = PreparedResponse(response, closesConnection: closesConnection) else { return false }
        let queued = unsafe prepared.queue(on: connection, status: response.status)
        keep(prepared, of: response, identity, slot)
        return queued
    }

    private func keep(
        _ prepared: consuming PreparedResponse, of response: HTTPResponse, _ identity: Identity, _ slot: Int
    ) {
        guard response.body.count <= Self.largestBody else { return }
        let isRepeated = slots.withLock {
            let isRepeated = $0[slot].lastMiss == identity
            $0[slot].lastMiss = identity
            return isRepeated
        }
        guard isRepeated else { return }
        let kept = Kept(identity: identity, source: response, prepared: prepared)
        // What is replaced is destroyed outside the lock.
        let replaced = slots.withLock { slots in
            let old = slots[slot].kept
            slots[slot].kept = kept
            return old
        }
        _ = replaced
    }
}

/// A response in bytes, for a connection the library will not answer any more. It closes the connection.
func serialized(_ response: HTTPResponse) -> [UInt8] {
    let reason = unsafe MHD_get_reason_phrase_for(UInt32(clamping: response.status))
    var text = "HTTP/1.1 \(response.status) "
    text += unsafe reason.map { unsafe String(cString: $0) } ?? "Unknown"
    text += "\r\nConnection: close\r\nContent-Length: \(response.body.count)\r\n"
    for field in response.headers.fields {
        if HeaderFields.matches(field.name, "Content-Length") || HeaderFields.matches(field.name, "Connection") {
            continue
        }
        text += "\(headerSafe(field.name)): \(headerSafe(field.value))\r\n"
    }
    text += "\r\n"
    return Array(text.utf8) + response.body
}

extension MHD_Result {
    // The library's names for them do not come through.
    @inline(__always) static var yes: MHD_Result { MHD_Result(rawValue: 1)! }
    @inline(__always) static var no: MHD_Result { MHD_Result(rawValue: 0)! }
}
