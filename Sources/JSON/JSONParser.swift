import CSimdjson

/// Reads JSON texts (RFC 8259, strictly): one value, well-formed UTF-8, no object with two keys that are the same once
/// their escapes are resolved. A leading byte order mark is skipped. A number no machine type holds keeps its text; a
/// lone surrogate is accepted and marked.
///
/// Keeps its buffers between texts: make one for each thread.
package final class JSONParser {
    private let handle = ParserHandle()
    private let maximumDepth: Int
    private let maximumBytes: Int
    private let maximumNodes: Int

    /// The largest text the tape can address.
    package static let largestText = 128 << 20

    /// - Parameters:
    ///   - maximumDepth: how many arrays and objects may be open at once.
    ///   - maximumBytes: the size of a text; never more than `largestText`.
    ///   - maximumNodes: values and keys together, which bounds the tape's memory to 16 bytes each.
    package init(
        maximumDepth: Int = 1024, maximumBytes: Int = JSONParser.largestText, maximumNodes: Int = 4 << 20
    ) {
        self.maximumDepth = max(0, maximumDepth)
        self.maximumBytes = min(maximumBytes, Self.largestText)
        self.maximumNodes = maximumNodes
    }

    package func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONTape {
        guard bytes.count <= maximumBytes else {
            throw JSONError(
                code: .tooLarge, offset: nil, message: "the text has \(bytes.count) bytes, more than \(maximumBytes)")
        }
        defer { handle.trim() }
        let tokens = handle.tokenize(bytes)
        try check(tokens)
        guard tokens.nodes <= max(maximumNodes, 1) else {
            throw JSONError(
                code: .tooLarge, offset: nil, message: "the text holds more than \(maximumNodes) values and keys")
        }
        let (nodes, result) = handle.build(tokens.nodes, maximumDepth: maximumDepth)
        try check(result)
        return JSONTape(bytes: bytes, nodes: nodes)
    }

    private func check(_ result: csimdjson_result) throws(JSONError) {
        guard result.status != .ok else { return }
        throw JSONError(result, maximumDepth: maximumDepth)
    }
}

/// The C++ parser, owned. Its pointer never leaves.
@safe private struct ParserHandle: ~Copyable {
    private let pointer: OpaquePointer

    init() {
        guard let pointer = unsafe csimdjson_parser_create() else {
            fatalError("no memory or no randomness for a JSON parser")
        }
        unsafe self.pointer = pointer
    }

    deinit { unsafe csimdjson_parser_destroy(pointer) }

    func tokenize(_ bytes: [UInt8]) -> csimdjson_result {
        unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe csimdjson_parser_tokenize(pointer, bytes.baseAddress, bytes.count)
        }
    }

    /// - Parameter capacity: what `tokenize` gave, not 0.
    func build(_ capacity: Int, maximumDepth: Int) -> ([csimdjson_node], csimdjson_result) {
        var result = csimdjson_result()
        let nodes = unsafe [csimdjson_node](unsafeUninitializedCapacity: capacity) { buffer, count in
            result = unsafe csimdjson_parser_build(pointer, buffer.baseAddress!, capacity, maximumDepth)
            count = result.nodes
        }
        return (nodes, result)
    }

    func trim() { unsafe csimdjson_parser_trim(pointer) }
}

extension JSONError {
    init(_ result: csimdjson_result, maximumDepth: Int) {
        let (code, message): (Code, String)
        switch result.status {
        case .empty:
            (code, message) = (.empty, "there is no JSON value")
        case .invalid_utf8:
            (code, message) = (.invalidUTF8, "the text is not well-formed UTF-8")
        case .too_deep:
            (code, message) = (.tooDeep, "arrays and objects are nested deeper than \(maximumDepth)")
        case .too_large:
            (code, message) = (.tooLarge, "the text is too large")
        case .out_of_memory:
            (code, message) = (.tooLarge, "there is not enough memory for the text")
        case .duplicate_key:
            (code, message) = (.duplicateKey, "an object has this key twice")
        case .trailing_content:
            (code, message) = (.trailingContent, "something follows the JSON value")
        default:
            (code, message) = (.syntax, Self.syntaxMessage(result.status))
        }
        self.init(code: code, offset: result.offset < 0 ? nil : Int(result.offset), message: message)
    }

    private static func syntaxMessage(_ status: csimdjson_status) -> String {
        switch status {
        case .unexpected_end: "the text ends inside an array or object"
        case .expected_value: "a value is expected here"
        case .expected_key: "a key in double quotes is expected here"
        case .expected_colon: "a `:` is expected after the key"
        case .expected_comma_in_array: "a `,` or `]` is expected here"
        case .expected_comma_in_object: "a `,` or `}` is expected here"
        case .trailing_comma: "the comma before a closing bracket is one too many"
        case .invalid_number: "this is not a JSON number"
        case .invalid_literal: "a value is expected here; the words are `true`, `false` and `null`"
        case .invalid_escape: "a `\\` is followed by something that is no escape"
        case .control_character: "a control character inside a string must be escaped"
        case .unterminated_string: "the string has no closing quote"
        default: "the text is not JSON"
        }
    }
}
