/// One HTTP header field as it stood on the wire: the name in its received case, the value without outer white space.
package struct HeaderField: Sendable, Hashable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// An ordered list of header fields. Names are compared without regard to ASCII case (RFC 9110, section 5.1).
package struct HeaderFields: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    package private(set) var fields: [HeaderField]

    package init(_ fields: [HeaderField] = []) {
        self.fields = fields
    }

    package init(dictionaryLiteral elements: (String, String)...) {
        fields = elements.map { HeaderField($0.0, $0.1) }
    }

    /// The first value of that name.
    package subscript(_ name: String) -> String? {
        fields.first { Self.matches($0.name, name) }?.value
    }

    /// Every value of that name, in the order received.
    package func values(_ name: String) -> [String] {
        fields.filter { Self.matches($0.name, name) }.map(\.value)
    }

    package func count(_ name: String) -> Int {
        fields.reduce(0) { $0 + (Self.matches($1.name, name) ? 1 : 0) }
    }

    package mutating func append(_ name: String, _ value: String) {
        fields.append(HeaderField(name, value))
    }

    /// Replaces every field of that name with this one.
    package mutating func set(_ name: String, _ value: String) {
        fields.removeAll { Self.matches($0.name, name) }
        append(name, value)
    }

    /// Whether two field names are the same, without regard to ASCII case.
    package static func matches(_ one: String, _ other: String) -> Bool {
        let (one, other) = (one.utf8Span.span, other.utf8Span.span)
        guard one.count == other.count else { return false }
        for index in one.indices where lowercased(one[index]) != lowercased(other[index]) { return false }
        return true
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
