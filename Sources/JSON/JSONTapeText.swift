import CSimdjson
import Glibc

// MARK: texts

extension JSONTape {
    /// A string without its escapes, a lone surrogate read as U+FFFD; a number as it is written; nil for anything else.
    package func text(_ index: JSONIndex) -> String? {
        switch kind(index) {
        case .string: string(nodes[Int(index.raw)])
        case .integer, .decimal: String(decoding: bytes[span(index)], as: UTF8.self)
        default: nil
        }
    }

    /// A string, number or boolean as text; nil for null, an array or an object.
    package func scalarText(_ index: JSONIndex) -> String? {
        switch kind(index) {
        case .boolTrue: "true"
        case .boolFalse: "false"
        default: text(index)
        }
    }

    /// Appends what `scalarText` gives, as UTF-8; nothing for null, an array or an object.
    package func appendText(_ index: JSONIndex, to text: inout [UInt8]) {
        let node = nodes[Int(index.raw)]
        switch node.kind {
        case .null, .array, .object: break
        case .string where node.hasEscapes: text.append(contentsOf: unescaped(node))
        case .string: text.append(contentsOf: bytes[node.inside])
        default: text.append(contentsOf: bytes[span(index)])
        }
    }

    private func string(_ node: csimdjson_node) -> String {
        guard node.hasEscapes else { return String(decoding: bytes[node.inside], as: UTF8.self) }
        let raw = node.inside
        return unsafe String(unsafeUninitializedCapacity: raw.count) { output in
            unsafe unescape(raw, into: output)
        }
    }

    private func unescaped(_ node: csimdjson_node) -> [UInt8] {
        let raw = node.inside
        return unsafe [UInt8](unsafeUninitializedCapacity: raw.count) { output, count in
            count = unsafe unescape(raw, into: output)
        }
    }

    /// `output` has room for `raw.count` bytes, at least two: there is an escape.
    private func unescape(_ raw: Range<Int>, into output: UnsafeMutableBufferPointer<UInt8>) -> Int {
        unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe csimdjson_unescape(bytes.baseAddress! + raw.lowerBound, raw.count, output.baseAddress!)
        }
    }
}

// MARK: comparisons

extension JSONTape {
    /// Whether the value is a string with this text, escapes resolved.
    package func equals(_ index: JSONIndex, _ text: StaticString) -> Bool {
        text.withUTF8Buffer { text in unsafe equals(nodes[Int(index.raw)], text, ignoringCase: false) }
    }

    /// Whether the value is a string with this text, escapes resolved.
    package func equals(_ index: JSONIndex, _ text: String) -> Bool {
        unsafe withUTF8(text) { text in unsafe equals(nodes[Int(index.raw)], text, ignoringCase: false) }
    }

    /// Whether the value is a string with this text, escapes resolved.
    package func equals(_ index: JSONIndex, utf8 text: [UInt8]) -> Bool {
        unsafe text.withUnsafeBufferPointer { text in
            unsafe equals(nodes[Int(index.raw)], text, ignoringCase: false)
        }
    }

    /// As `equals`, with ASCII letters matching in either case.
    package func equals(_ index: JSONIndex, ignoringCase text: StaticString) -> Bool {
        text.withUTF8Buffer { text in unsafe equals(nodes[Int(index.raw)], text, ignoringCase: true) }
    }

    func equals(_ node: csimdjson_node, _ text: UnsafeBufferPointer<UInt8>, ignoringCase: Bool) -> Bool {
        guard node.kind == .string else { return false }
        let raw = node.inside
        // An escape is longer than what it stands for.
        guard node.hasEscapes ? raw.count > text.count : raw.count == text.count else { return false }
        guard let other = text.baseAddress, !text.isEmpty else { return raw.isEmpty }
        return unsafe bytes.withUnsafeBufferPointer { bytes in
            let own = unsafe bytes.baseAddress! + raw.lowerBound
            guard node.hasEscapes || ignoringCase else { return unsafe memcmp(own, other, text.count) == 0 }
            return unsafe csimdjson_unescaped_equals(own, raw.count, other, text.count, ignoringCase)
        }
    }
}

/// Lends the text's UTF-8, in place where its storage allows.
func withUTF8<Result>(_ text: String, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
    var text = text
    return text.withUTF8 { unsafe body($0) }
}
