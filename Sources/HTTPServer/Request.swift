internal import HTTPTypes

/// One request from its request line to its end. Touched by the one thread of the library that serves its connection.
final class Request {
    enum Stage {
        /// The request line is here.
        case head
        /// The header section was accepted; the body goes to the receiver.
        case body(any HTTPBodyReceiver, maximum: Int)
        /// Refused before a body that does not exist: the answer waits for the library's last call.
        case refused(HTTPResponse)
        /// Handed over to be answered.
        case answering
        /// An answer is queued.
        case answered
        /// Ended without an answer of the library's.
        case cutShort
    }

    let connection: Connection
    /// As received; `nil` when it holds a character that must be percent-encoded.
    let target: String?
    /// Where it stands in the library's buffer, to find its place in the header block; never read again.
    let targetAddress: UInt
    let targetLength: Int
    /// When it began to arrive: monotonic nanoseconds.
    let startedAt: UInt64
    /// It is served even where the server is full.
    var isUrgent = false
    var stage = Stage.head
    var received = 0
    /// Whether the connection must not carry another request.
    var closesConnection = false
    /// Whether the client may still be sending when the connection closes.
    var lingers = false

    /// - Parameters:
    ///   - target: the bytes up to the first NUL, in the library's buffer.
    ///   - mark: what the connection was doing before.
    init(connection: Connection, target: UnsafeRawBufferPointer, after mark: PhaseMark) {
        self.connection = connection
        startedAt = connection.beginOfRequest(after: mark)
        targetAddress = UInt(bitPattern: target.baseAddress)
        targetLength = target.count
        let isPlain = unsafe target.allSatisfy { $0 > 0x20 && $0 < 0x7f }
        self.target = isPlain ? unsafe String(decoding: target, as: UTF8.self) : nil
    }

    /// For reports: nothing a client hid in the query.
    var path: String? { target.map { String($0.prefix { $0 != "?" }) } }
}
