import CSimdjson

/// One parsed text: its bytes as received and a flat list of nodes, 16 bytes each, one for every value and key.
///
/// Reading allocates nothing unless it returns a `String`. An index is good only for the tape it came from.
package struct JSONTape: Sendable, CustomStringConvertible {
    /// The text as received, a byte order mark included.
    package let bytes: [UInt8]
    let nodes: [csimdjson_node]

    /// Says nothing of what is in the text.
    package var description: String { "a JSON text of \(bytes.count) bytes" }

    package var root: JSONIndex { JSONIndex(raw: 0) }

    package func kind(_ index: JSONIndex) -> JSONKind {
        nodes[Int(index.raw)].kind
    }

    /// The value's range in `bytes`, quotes or brackets included.
    package func span(_ index: JSONIndex) -> Range<Int> {
        let node = nodes[Int(index.raw)]
        return Int(node.start)..<Int(node.end)
    }

    /// False for a string with a lone surrogate, and for an array or object with such a string inside: its raw text
    /// cannot be copied into a text that others must be able to read.
    package func isClean(_ index: JSONIndex) -> Bool {
        nodes[Int(index.raw)].info & UInt32(csimdjson_flag_unclean) == 0
    }

    /// Whether a string has a backslash in its raw text.
    package func hasEscapes(_ index: JSONIndex) -> Bool {
        nodes[Int(index.raw)].hasEscapes
    }

    /// The number of members of an object or elements of an array; 0 for any other value.
    package func count(_ index: JSONIndex) -> Int {
        nodes[Int(index.raw)].count
    }

    package func bool(_ index: JSONIndex) -> Bool? {
        switch kind(index) {
        case .boolTrue: true
        case .boolFalse: false
        default: nil
        }
    }

    /// The value of a number of kind `integer`.
    package func integer(_ index: JSONIndex) -> Int64? {
        guard kind(index) == .integer else { return nil }
        var value: Int64 = 0
        var isNegative = false
        for position in span(index) {
            let byte = bytes[position]
            if byte == UInt8(ascii: "-") {
                isNegative = true
            } else {
                // Counted downwards, because the smallest integer has no positive counterpart.
                value = value * 10 - Int64(byte - UInt8(ascii: "0"))
            }
        }
        return isNegative ? value : 0 - value
    }

    /// The nearest `Double` of any number; nil for one beyond the largest.
    package func double(_ index: JSONIndex) -> Double? {
        let kind = kind(index)
        guard kind == .integer || kind == .decimal else { return nil }
        let span = span(index)
        var value = 0.0
        let isRead = unsafe bytes.withUnsafeBufferPointer { bytes in
            let text = unsafe bytes[span]
            // Not empty: a number has a digit.
            return unsafe csimdjson_double(text.base.baseAddress! + text.startIndex, text.count, &value)
        }
        if isRead { return value }
        // Too large or too small: the slow reader tells which.
        let text = String(decoding: bytes[span], as: UTF8.self)
        return Double(text).flatMap { $0.isFinite ? $0 : nil }
    }
}

extension csimdjson_node {
    var kind: JSONKind {
        // Eight kinds in three bits.
        JSONKind(rawValue: UInt8(truncatingIfNeeded: info & UInt32(csimdjson_kind_mask)))!
    }

    var hasEscapes: Bool { info & UInt32(csimdjson_flag_escapes) != 0 }

    var count: Int {
        kind == .object || kind == .array ? Int(info >> UInt32(csimdjson_count_shift)) : 0
    }

    /// The bytes between a string's quotes.
    var inside: Range<Int> { Int(start) + 1..<Int(end) - 1 }
}
