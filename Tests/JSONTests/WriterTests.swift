import JSON
import Testing

@Suite struct WriterTests {
    private func written(_ body: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        body(&writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    @Test("Commas stand between values and members, and nowhere else")
    func writesStructure() throws {
        let tape = try JSONParser().parse(Array(" [ 1, {\"x\": 2} ] ".utf8))
        let text = written { writer in
            writer.beginObject()
            writer.key("a")
            writer.beginArray()
            writer.endArray()
            writer.key("b")
            writer.beginArray()
            writer.integer(1)
            writer.beginObject()
            writer.endObject()
            writer.null()
            writer.bool(true)
            writer.endArray()
            writer.key(String("c"))
            writer.raw(tape, tape.root)
            writer.key(utf8: Array("d".utf8))
            writer.raw(tape.bytes[1..<16])
            writer.key("e")
            writer.raw(Array("0".utf8))
            writer.key("f")
            writer.raw("1".utf8)
            writer.endObject()
        }
        #expect(
            text
                == "{\"a\":[],\"b\":[1,{},null,true],\"c\":[ 1, {\"x\": 2} ],\"d\":[ 1, {\"x\": 2} ],\"e\":0,\"f\":1}")
    }

    @Test("Lines of their own, and a writer begun anew")
    func writesLines() {
        var writer = JSONWriter(reserving: 64)
        writer.integer(1)
        writer.endLine()
        writer.beginArray()
        writer.endArray()
        writer.endLine()
        #expect(writer.bytes == Array("1\n[]\n".utf8))
        writer.removeAll()
        writer.string("x")
        #expect(writer.bytes == Array("\"x\"".utf8))
    }

    static let escapes: [(String, String)] = [
        ("", ""), ("plain text", "plain text"), ("\"", "\\\""), ("\\", "\\\\"), ("\n\r\t\u{8}\u{C}", "\\n\\r\\t\\b\\f"),
        ("\0\u{1}\u{1B}\u{1F}", "\\u0000\\u0001\\u001b\\u001f"), ("\u{7F}", "\u{7F}"), ("/</script>", "/</script>"),
        ("é漢😀\u{2028}\u{2029}\u{FEFF}", "é漢😀\u{2028}\u{2029}\u{FEFF}"), ("12345678\"", "12345678\\\""),
        ("1234567\n12345678\\x", "1234567\\n12345678\\\\x"), ("éééé\né", "éééé\\né"),
    ]

    @Test(
        "Quotes, backslashes and control characters are escaped, all else stands as it is",
        arguments: WriterTests.escapes)
    func escapesText(text: String, expected: String) {
        #expect(written { $0.string(text) } == "\"\(expected)\"")
        #expect(written { $0.string(utf8: Array(text.utf8)) } == "\"\(expected)\"")
        #expect(written { $0.string(utf8: text.utf8) } == "\"\(expected)\"")
        #expect(written { $0.key(text) } == "\"\(expected)\":")
        #expect(written { $0.key(utf8: Array(text.utf8)[...]) } == "\"\(expected)\":")
        #expect(written { $0.string(utf8: text.utf8.reversed().reversed() as [UInt8]) } == "\"\(expected)\"")
    }

    @Test("Every byte at every place of a string is escaped as it must be", arguments: 0..<20)
    func escapesEverywhere(place: Int) throws {
        for byte in UInt8(0)..<0x80 {
            var text = [UInt8](repeating: UInt8(ascii: "x"), count: 20)
            text[place] = byte
            var writer = JSONWriter()
            writer.string(utf8: text)
            #expect(try Value(parsing: writer.bytes) == .string(String(decoding: text, as: UTF8.self)))
            #expect(
                writer.bytes.count == 22
                    + (byte < 0x20
                        ? ([8, 9, 10, 12, 13].contains(byte) ? 1 : 5) : [0x22, 0x5C].contains(byte) ? 1 : 0))
        }
    }

    @Test("What is not UTF-8 becomes U+FFFD, as Swift's own decoding has it")
    func repairsInvalidUTF8() {
        var random = Random(seed: 1)
        let alphabet: [UInt8] = [
            0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF,
            0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
        ]
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 0..<12, using: &random)).map { _ in alphabet.randomElement(using: &random)! }
            var writer = JSONWriter()
            writer.string(utf8: text)
            #expect(writer.bytes == Array("\"\(String(decoding: text, as: UTF8.self))\"".utf8), "\(text)")
        }
    }

    @Test("Numbers are written so that they read back the same")
    func writesNumbers() throws {
        for value in [0, 1, -1, 9, 10, 99, 100, -100, Int64.max, .min] {
            #expect(written { $0.integer(value) } == "\(value)")
        }
        for value in [0, -0.0, 0.1, 1, 1e20, 1e-9, .leastNonzeroMagnitude, .greatestFiniteMagnitude, -123.456] {
            let tape = try JSONParser().parse(Array(written { $0.double(value) }.utf8))
            #expect(tape.double(tape.root) == value)
        }
        for value in [Double.nan, .infinity, -.infinity] { #expect(written { $0.double(value) } == "null") }
    }
}
