import CCurl
import HTTPTypes

/// A request's header lines as libcurl takes them. Their memory is used again for the next request.
@safe struct RequestHeaders: ~Copyable {
    /// Every line, each with a NUL behind it.
    private var lines = PinnedBytes(capacity: 1024)
    /// libcurl's list of them.
    private var nodes: UnsafeMutableBufferPointer<curl_slist>
    private var count = 0

    /// What libcurl would add by itself. "Name:" is its way to write "leave this field out".
    private static let omitted = ["Accept:", "Content-Type:", "Expect:"]
    /// Idle handles keep at most this much.
    private static let keptLines = 16 * 1024
    private static let keptNodes = 64

    init() {
        unsafe nodes = .allocate(capacity: Self.keptNodes)
    }

    deinit {
        unsafe nodes.deallocate()
    }

    /// - Throws: `request` when a field cannot be sent; the message names the field, never its value.
    mutating func load(_ headers: HeaderFields) throws(TransportFailure) {
        let fields = headers.fields
        makeRoom(for: fields)
        var setsAccept = false
        var setsContentType = false
        for field in fields {
            try Self.check(field)
            switch field.name.utf8.count {
            case 6: setsAccept = setsAccept || HeaderFields.matches(field.name, "accept")
            case 12: setsContentType = setsContentType || HeaderFields.matches(field.name, "content-type")
            default: break
            }
            beginLine()
            lines.append(field.name)
            // A name and a colon would leave the field out; a semicolon stands for a field without a value.
            lines.append(field.value.isEmpty ? ";" : ": ")
            lines.append(field.value)
            lines.append(0)
        }
        for line in Self.omitted
        where !(setsAccept && line == "Accept:") && !(setsContentType && line == "Content-Type:") {
            beginLine()
            lines.append(line)
            lines.append(0)
        }
        unsafe nodes[count - 1].next = nil
    }

    /// Gives the list to a handle, which does not copy it: it must stay as it is while the transfer goes on.
    func set(on easy: EasyHandle) {
        unsafe gatehouse_curl_set_list(easy.handle, CURLOPT_HTTPHEADER, nodes.baseAddress)
    }

    /// Lets go of what a request with large headers took.
    mutating func release() {
        lines.clear(keeping: Self.keptLines)
        if unsafe nodes.count > Self.keptNodes { reallocateNodes(Self.keptNodes) }
    }

    private mutating func makeRoom(for fields: [HeaderField]) {
        let omitted = Self.omitted.reduce(0) { $0 + $1.utf8.count + 1 }
        lines.clear(
            makingRoomFor: fields.reduce(omitted) { $0 + $1.name.utf8.count + $1.value.utf8.count + 3 })
        let wanted = fields.count + Self.omitted.count
        if unsafe wanted > nodes.count { reallocateNodes(wanted) }
        count = 0
    }

    private mutating func reallocateNodes(_ capacity: Int) {
        unsafe nodes.deallocate()
        unsafe nodes = .allocate(capacity: capacity)
    }

    /// The node of the line that is written next; the one before leads to it.
    private mutating func beginLine() {
        let line = unsafe (lines.start + lines.count).assumingMemoryBound(to: CChar.self)
        let node = unsafe nodes.baseAddress! + count
        unsafe node.initialize(to: curl_slist(data: line, next: node + 1))
        count += 1
    }

    /// RFC 9110, sections 5.1 and 5.5: the name a token, the value without CR, LF and NUL.
    private static func check(_ field: HeaderField) throws(TransportFailure) {
        guard isToken(field.name) else {
            throw TransportFailure(.request, "a header name is not a token (RFC 9110, section 5.6.2)")
        }
        let value = field.value.utf8Span.span
        for index in value.indices where value[index] == 0x0d || value[index] == 0x0a || value[index] == 0 {
            throw TransportFailure(.request, "the value of the header \(field.name) holds a line break or NUL")
        }
        guard !isReserved(field.name) else {
            throw TransportFailure(.request, "the header \(field.name) is set by the client itself: leave it out")
        }
    }

    /// Fields that frame the message or steer the connection, which is the client's own business.
    private static func isReserved(_ name: String) -> Bool {
        switch name.utf8.count {
        case 2: HeaderFields.matches(name, "te")
        case 6: HeaderFields.matches(name, "expect")
        case 7: HeaderFields.matches(name, "upgrade") || HeaderFields.matches(name, "trailer")
        case 10: HeaderFields.matches(name, "connection")
        case 14: HeaderFields.matches(name, "content-length")
        case 17: HeaderFields.matches(name, "transfer-encoding")
        default: false
        }
    }

    static func isToken(_ text: String) -> Bool {
        let name = text.utf8Span.span
        for index in name.indices where !tokenBytes[Int(name[index])] { return false }
        return !name.isEmpty
    }

    private static let tokenBytes: [Bool] = (UInt8.min...UInt8.max).map { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
