import CCurl
import HTTPTypes

/// A request's header lines as libcurl takes them.
@safe struct RequestHeaders: ~Copyable {
    private var list: UnsafeMutablePointer<curl_slist>?
    private var last: UnsafeMutablePointer<curl_slist>?

    /// Fields that frame the message or steer the connection, which is the client's own business.
    private static let reserved = [
        "content-length", "transfer-encoding", "connection", "expect", "upgrade", "te", "trailer",
    ]

    /// - Throws: `request` when a field cannot be sent; the message names the field, never its value.
    init(_ fields: HeaderFields) throws(TransportFailure) {
        unsafe list = nil
        unsafe last = nil
        var line: [UInt8] = []
        var setsAccept = false
        var setsContentType = false
        do throws(TransportFailure) {
            for field in fields.fields {
                try Self.check(field)
                setsAccept = setsAccept || HeaderFields.matches(field.name, "accept")
                setsContentType = setsContentType || HeaderFields.matches(field.name, "content-type")
                line.removeAll(keepingCapacity: true)
                line.append(contentsOf: field.name.utf8)
                // libcurl takes "Name:" for "leave this field out", and "Name;" for a field without a value.
                line.append(contentsOf: field.value.isEmpty ? ";".utf8 : ": ".utf8)
                line.append(contentsOf: field.value.utf8)
                try append(&line)
            }
            if !setsAccept { try append("Accept:") }
            if !setsContentType { try append("Content-Type:") }
            try append("Expect:")
        } catch {
            unsafe curl_slist_free_all(list)
            throw error
        }
    }

    deinit {
        unsafe curl_slist_free_all(list)
    }

    /// Gives the list to a handle, which does not copy it: it must outlive the transfer.
    func set(on easy: EasyHandle) {
        unsafe gatehouse_curl_set_list(easy.handle, CURLOPT_HTTPHEADER, list)
    }

    private mutating func append(_ text: StaticString) throws(TransportFailure) {
        var line: [UInt8] = text.withUTF8Buffer { unsafe Array($0) }
        try append(&line)
    }

    private mutating func append(_ line: inout [UInt8]) throws(TransportFailure) {
        line.append(0)
        let node = unsafe line.withUnsafeBufferPointer { line in
            // Appending to the last node keeps this linear: libcurl walks the list it is given to its end.
            unsafe line.withMemoryRebound(to: CChar.self) { unsafe curl_slist_append(last, $0.baseAddress) }
        }
        guard let node = unsafe node else { throw TransportFailure(.client, "there is no memory for the request") }
        if unsafe list == nil {
            unsafe list = unsafe node
            unsafe last = unsafe node
        } else if let next = unsafe last?.pointee.next {
            unsafe last = unsafe next
        }
    }

    /// RFC 9110, sections 5.1 and 5.5: the name a token, the value without CR, LF and NUL.
    private static func check(_ field: HeaderField) throws(TransportFailure) {
        guard isToken(field.name) else {
            throw TransportFailure(.request, "a header name is not a token (RFC 9110, section 5.6.2)")
        }
        guard field.value.utf8.allSatisfy({ $0 != 0x0d && $0 != 0x0a && $0 != 0 }) else {
            throw TransportFailure(.request, "the value of the header \(field.name) holds a line break or NUL")
        }
        guard !reserved.contains(where: { HeaderFields.matches($0, field.name) }) else {
            throw TransportFailure(.request, "the header \(field.name) is set by the client itself: leave it out")
        }
    }

    static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
                    UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
                    UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
                    true
                default: false
                }
            }
    }
}
