import JSON
import Testing

/// A text that is no JSON, and what the parser says of it.
struct InvalidText: Sendable, CustomTestStringConvertible {
    let text: [UInt8]
    let code: JSONError.Code
    let offset: Int?

    init(_ text: String, _ code: JSONError.Code, _ offset: Int?) {
        self.init(Array(text.utf8), code, offset)
    }

    init(_ text: [UInt8], _ code: JSONError.Code, _ offset: Int?) {
        self.text = text
        self.code = code
        self.offset = offset
    }

    var testDescription: String { String(decoding: text, as: UTF8.self).debugDescription }
}

@Suite struct GrammarTests {
    static let valid: [String] = [
        "null", "true", "false", "0", "-0", "1", "-1", "123456789012345678901234567890", "0.5", "1e5", "1E+5", "1e-5",
        "-1.25e10", "0e0", "1e400", "-1e-400", "\"\"", "\"a\"", "[]", "{}", " [ ] ", "\t{\r\n}\n", "[1]", "[1,2]",
        "[[],[[]],{}]", "{\"\":0}", "{\"a\":{\"a\":{\"a\":[]}}}", "\"\\u0000\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\\uD83D\\uDE00\"", "\"\\ud800\"", "\"\\uDC00x\"", "\"\\ud800\\ud800\"", "\"\u{7F}\"", "\"\u{2028}\u{FEFF}\"",
        "\"//\"", "[\"],{\"]", "\u{FEFF}1", "\u{FEFF} [true]", "[1 , 2]", "{\"a\" : 1 , \"b\" : 2}", "\"\u{10FFFF}\"",
        "[\"\\\\\",\"\\\\\\\"\"]", "[\"a\"  ]", "1 ", " 1", "{\"A\":1,\"a\":2}", "[null,true,false]",
    ]

    @Test("A text that follows RFC 8259 is read as it says", arguments: valid)
    func acceptsValidTexts(text: String) throws {
        let bytes = Array(text.utf8)
        #expect(try Value(parsing: bytes) == ReferenceReader.read(bytes))
    }

    static let invalid: [InvalidText] = [
        InvalidText("", .empty, 0), InvalidText(" \n\t ", .empty, 4), InvalidText("\u{FEFF}", .empty, 3),
        InvalidText("\u{FEFF} ", .empty, 4),
        // Values.
        InvalidText("x", .syntax, 0), InvalidText("nul", .syntax, 0), InvalidText("nulll", .syntax, 0),
        InvalidText("True", .syntax, 0), InvalidText("[truefalse]", .syntax, 1), InvalidText("NaN", .syntax, 0),
        InvalidText("Infinity", .syntax, 0), InvalidText("'a'", .syntax, 0), InvalidText("[,1]", .syntax, 1),
        InvalidText("[1,,2]", .syntax, 3), InvalidText("\u{FEFF}[x]", .syntax, 4), InvalidText("\u{C}1", .syntax, 0),
        InvalidText("\u{A0}1", .syntax, 0), InvalidText("[\u{1A}]", .syntax, 1), InvalidText("\u{0}", .syntax, 0),
        InvalidText("// a\n1", .syntax, 0), InvalidText("[1/**/]", .syntax, 1),
        InvalidText("\u{FEFF}\u{FEFF}1", .syntax, 3),
        InvalidText("[\u{FEFF}1]", .syntax, 1), InvalidText("\\", .syntax, 0), InvalidText("[\\\"a\"]", .syntax, 4),
        InvalidText(":", .syntax, 0), InvalidText("]", .syntax, 0), InvalidText("}", .syntax, 0),
        // Numbers.
        InvalidText("01", .syntax, 0), InvalidText("-", .syntax, 0), InvalidText("-a", .syntax, 0),
        InvalidText("+1", .syntax, 0), InvalidText(".5", .syntax, 0), InvalidText("1.", .syntax, 0),
        InvalidText("[1.]", .syntax, 1), InvalidText("1e", .syntax, 0), InvalidText("1e+", .syntax, 0),
        InvalidText("0x1", .syntax, 0), InvalidText("1_000", .syntax, 0), InvalidText("--1", .syntax, 0),
        InvalidText("-01", .syntax, 0), InvalidText("1.2.3", .syntax, 0), InvalidText("1e1.5", .syntax, 0),
        InvalidText("1\u{0}", .syntax, 0), InvalidText("[1\u{0}]", .syntax, 1), InvalidText("\u{661}", .syntax, 0),
        InvalidText("1\"a\"", .syntax, 0),
        // Strings.
        InvalidText("\"", .syntax, 0), InvalidText("[\"a", .syntax, 1), InvalidText("[\"a\\\"]", .syntax, 1),
        InvalidText("\"\n\"", .syntax, 1), InvalidText("[\"ab\u{0}\"]", .syntax, 4),
        InvalidText("\"\u{1F}\"", .syntax, 1),
        InvalidText("\"\\x41\"", .syntax, 1), InvalidText("\"\\u12\"", .syntax, 1),
        InvalidText("\"a\\u12G4\"", .syntax, 2),
        InvalidText("\"\\U0041\"", .syntax, 1), InvalidText("\"\\ud800\\u00\"", .syntax, 7),
        InvalidText("\"\\'\"", .syntax, 1), InvalidText("\"\\\u{E9}\"", .syntax, 1),
        InvalidText("\"\\u 123\"", .syntax, 1),
        InvalidText("\"\\u-123\"", .syntax, 1),
        // Arrays.
        InvalidText("[", .syntax, 1), InvalidText("[1", .syntax, 2), InvalidText("[1,", .syntax, 3),
        InvalidText("[1,]", .syntax, 2), InvalidText("[1 2]", .syntax, 3), InvalidText("[1}", .syntax, 2),
        InvalidText("[1:2]", .syntax, 2), InvalidText("[\"a\"\"b\"]", .syntax, 4), InvalidText("[\"a\"b]", .syntax, 4),
        InvalidText("[[]", .syntax, 3), InvalidText("[1]]", .trailingContent, 3),
        // Objects.
        InvalidText("{", .syntax, 1), InvalidText("{\"a\"", .syntax, 4), InvalidText("{\"a\":", .syntax, 5),
        InvalidText("{\"a\":1", .syntax, 6), InvalidText("{\"a\":1,", .syntax, 7),
        InvalidText("{\"a\":1,}", .syntax, 6),
        InvalidText("{,}", .syntax, 1), InvalidText("{a:1}", .syntax, 1), InvalidText("{1:1}", .syntax, 1),
        InvalidText("{\"a\" 1}", .syntax, 5), InvalidText("{\"a\",1}", .syntax, 4),
        InvalidText("{\"a\":1 \"b\":2}", .syntax, 7),
        InvalidText("{\"a\":1]", .syntax, 6), InvalidText("{\"a\"::1}", .syntax, 5), InvalidText("{\"a\"}", .syntax, 4),
        InvalidText("{\"a\":}", .syntax, 5), InvalidText("{[]:1}", .syntax, 1), InvalidText("{\"a\":1,,}", .syntax, 7),
        // After the value.
        InvalidText("1 2", .trailingContent, 2), InvalidText("[1] x", .trailingContent, 4),
        InvalidText("{\"a\":1}}", .trailingContent, 7), InvalidText("{}{}", .trailingContent, 2),
        InvalidText("[],", .trailingContent, 2), InvalidText("\"a\"b", .trailingContent, 3),
        InvalidText("null\u{0}", .syntax, 0), InvalidText("[]\u{0}", .trailingContent, 2),
        // UTF-8.
        InvalidText([0x22, 0xFF, 0x22], .invalidUTF8, 1), InvalidText([0x22, 0xC0, 0x80, 0x22], .invalidUTF8, 1),
        InvalidText([0x22, 0x61, 0xED, 0xA0, 0x80, 0x22], .invalidUTF8, 2),
        InvalidText([0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], .invalidUTF8, 1),
        InvalidText([0x22, 0xE2, 0x82, 0x22], .invalidUTF8, 1), InvalidText([0x22, 0x80, 0x22], .invalidUTF8, 1),
        InvalidText([0x31, 0xFF], .invalidUTF8, 1), InvalidText([0xEF, 0xBB, 0xBF, 0x22, 0xFF, 0x22], .invalidUTF8, 4),
        InvalidText([0xFF, 0xFE, 0x31, 0x00], .invalidUTF8, 0),
        // Keys.
        InvalidText("{\"a\":1,\"a\":1}", .duplicateKey, 7), InvalidText("{\"a\":1,\"\\u0061\":1}", .duplicateKey, 7),
        InvalidText("{\"\":1,\"\":1}", .duplicateKey, 6),
        InvalidText("[{\"b\":{\"x\":1,\"y\":2,\"x\":3}}]", .duplicateKey, 19),
        InvalidText("{\"\\/\":1,\"/\":2}", .duplicateKey, 8),
        InvalidText("{\"\\ud83d\\ude00\":1,\"😀\":2}", .duplicateKey, 18),
        InvalidText("{\"\\ud800\":1,\"\\udfff\":2}", .duplicateKey, 12),
    ]

    @Test("A text that breaks RFC 8259 is refused with its code and place", arguments: invalid)
    func refusesInvalidTexts(invalid: InvalidText) throws {
        let error = try #require(throws: JSONError.self) { try JSONParser().parse(invalid.text) }
        #expect(error.code == invalid.code)
        #expect(error.offset == invalid.offset)
        #expect(throws: (any Error).self) { try ReferenceReader.read(invalid.text) }
    }

    @Test("An error reads as a sentence with its place and holds nothing of the text")
    func errorsAreForPeople() throws {
        let error = try #require(throws: JSONError.self) {
            try JSONParser().parse(Array("{\"secret\":1 \"x\":2}".utf8))
        }
        #expect(error.description == "a `,` or `}` is expected here (at byte 12)")
    }

    @Test("Nesting is accepted to the limit and refused beyond it, at the bracket that is too deep")
    func limitsDepth() throws {
        func nested(_ depth: Int, _ open: String, _ close: String) -> [UInt8] {
            Array((String(repeating: open, count: depth) + "0" + String(repeating: close, count: depth)).utf8)
        }
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let tape = try JSONParser().parse(nested(1024, open, close))
            #expect(tape.span(tape.root).count == tape.bytes.count)
            let error = try #require(throws: JSONError.self) { try JSONParser().parse(nested(1025, open, close)) }
            #expect(error.code == .tooDeep)
            #expect(error.offset == 1024 * open.utf8.count)
        }
        #expect(throws: JSONError.self) { try JSONParser(maximumDepth: 2).parse(Array("[[[]]]".utf8)) }
        #expect(throws: Never.self) { try JSONParser(maximumDepth: 2).parse(Array("[[],[1]]".utf8)) }
        #expect(throws: Never.self) { try JSONParser(maximumDepth: 0).parse(Array("1".utf8)) }
    }

    @Test("Four million open brackets are refused without four million levels")
    func refusesDeepTexts() throws {
        let error = try #require(throws: JSONError.self) {
            try JSONParser().parse([UInt8](repeating: UInt8(ascii: "["), count: 4 << 20))
        }
        #expect(error.code == .tooDeep)
    }

    @Test("Bytes and values are bounded")
    func limitsSize() throws {
        let text = Array("[1,2,3]".utf8)
        #expect(throws: Never.self) { try JSONParser(maximumBytes: 7).parse(text) }
        let tooLong = try #require(throws: JSONError.self) { try JSONParser(maximumBytes: 6).parse(text) }
        #expect(tooLong.code == .tooLarge)
        let many = Array(("[" + String(repeating: "1,", count: 5000) + "1]").utf8)
        #expect(throws: Never.self) { try JSONParser(maximumNodes: 5002).parse(many) }
        let tooMany = try #require(throws: JSONError.self) { try JSONParser(maximumNodes: 5001).parse(many) }
        #expect(tooMany.code == .tooLarge)
    }

    @Test("A parser that refused a text reads the next one as if it were new")
    func parserIsReused() throws {
        let parser = JSONParser()
        let long = Array(("[" + String(repeating: "\"0123456789\",", count: 300_000) + "{}]").utf8)
        for invalid in Self.invalid {
            _ = try? parser.parse(invalid.text)
            #expect(
                try Value(parsing: Array("{\"a\":[1,\"b\"]}".utf8), with: parser).text
                    == Array("{\"a\":[1,\"b\"]}".utf8))
        }
        let tape = try parser.parse(long)
        #expect(tape.count(tape.root) == 300_001)
        // The end of the long text must not lend the short one its brackets.
        for text in ["[1", "{\"a\":1", "[[1]", "12", "tru"] {
            let bytes = Array(text.utf8)
            #expect((try? Value(parsing: bytes, with: parser)) == (try? ReferenceReader.read(bytes)))
        }
    }
}
