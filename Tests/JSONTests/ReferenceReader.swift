/// Reads JSON one byte at a time, as plainly as RFC 8259 says it: what the parser is judged by.
struct ReferenceReader {
    struct Refused: Error {}

    private let text: [UInt8]
    private var position = 0
    private var depth = 0

    static func read(_ text: [UInt8]) throws -> Value {
        guard String(validating: text, as: UTF8.self) != nil else { throw Refused() }
        var reader = ReferenceReader(text: text.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(text.dropFirst(3)) : text)
        let value = try reader.value()
        reader.skipSpace()
        guard reader.position == reader.text.count else { throw Refused() }
        return value
    }

    private init(text: [UInt8]) {
        self.text = text
    }

    private var next: UInt8? { position < text.count ? text[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
    }

    private mutating func take(_ expected: String) -> Bool {
        guard text[position...].starts(with: expected.utf8) else { return false }
        position += expected.utf8.count
        return true
    }

    private mutating func value() throws -> Value {
        skipSpace()
        if take("null") { return .null }
        if take("true") { return .bool(true) }
        if take("false") { return .bool(false) }
        if next == UInt8(ascii: "\"") { return .string(try string()) }
        if take("[") { return .array(try list(until: "]") { reader in try reader.value() }) }
        if take("{") { return try object() }
        return .number(try number())
    }

    private mutating func list<Item>(
        until end: String, _ item: (inout ReferenceReader) throws -> Item
    ) throws -> [Item] {
        depth += 1
        defer { depth -= 1 }
        guard depth <= 1024 else { throw Refused() }
        var items: [Item] = []
        skipSpace()
        if take(end) { return items }
        while true {
            items.append(try item(&self))
            skipSpace()
            if take(end) { return items }
            guard take(",") else { throw Refused() }
        }
    }

    private mutating func object() throws -> Value {
        var keys: Set<[UInt8]> = []
        let members = try list(until: "}") { reader in
            reader.skipSpace()
            let key = try reader.string()
            guard keys.insert(Array(key.utf8)).inserted else { throw Refused() }
            reader.skipSpace()
            guard reader.take(":") else { throw Refused() }
            return Value.Member(key: key, value: try reader.value())
        }
        return .object(members)
    }

    private mutating func number() throws -> String {
        let start = position
        _ = take("-")
        if !take("0") { try digits() }
        if take(".") { try digits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try digits()
        }
        return String(decoding: text[start..<position], as: UTF8.self)
    }

    private mutating func digits() throws {
        let start = position
        while let byte = next, (0x30...0x39).contains(byte) { position += 1 }
        guard position > start else { throw Refused() }
    }

    private mutating func string() throws -> String {
        guard take("\"") else { throw Refused() }
        var units: [UInt16] = []
        while !take("\"") {
            guard let byte = next, byte >= 0x20 else { throw Refused() }
            if take("\\") {
                units.append(try escape())
            } else {
                let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
                units += Array(String(decoding: text[position..<position + length], as: UTF8.self).utf16)
                position += length
            }
        }
        // Decoding repairs a lone surrogate to U+FFFD.
        return String(decoding: units, as: UTF16.self)
    }

    private mutating func escape() throws -> UInt16 {
        let letters: [String: UInt16] = ["\"": 0x22, "\\": 0x5C, "/": 0x2F, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9]
        for (letter, unit) in letters where take(letter) { return unit }
        guard take("u"), position + 4 <= text.count else { throw Refused() }
        let digits = String(decoding: text[position..<position + 4], as: UTF8.self)
        guard digits.allSatisfy(\.isHexDigit), digits.utf8.count == 4, let unit = UInt16(digits, radix: 16) else {
            throw Refused()
        }
        position += 4
        return unit
    }
}
