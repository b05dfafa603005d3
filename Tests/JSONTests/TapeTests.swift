import JSON
import Testing

@Suite struct TapeTests {
    private func parse(_ text: String) throws -> JSONTape { try JSONParser().parse(Array(text.utf8)) }

    @Test("Every value has the range of its own text, brackets and quotes included, white space not")
    func spansAreExact() throws {
        let tape = try parse(" { \"a\" : [ 1.50 , \"x\\n\" ] , \"b\" : true } ")
        func text(_ index: JSONIndex) -> String { String(decoding: tape.bytes[tape.span(index)], as: UTF8.self) }
        #expect(text(tape.root) == "{ \"a\" : [ 1.50 , \"x\\n\" ] , \"b\" : true }")
        #expect(tape.members(tape.root).map { text($0.key) } == ["\"a\"", "\"b\""])
        #expect(tape.members(tape.root).map { text($0.value) } == ["[ 1.50 , \"x\\n\" ]", "true"])
        let list = try #require(tape.member(tape.root, "a"))
        #expect(tape.elements(list).map(text) == ["1.50", "\"x\\n\""])
    }

    @Test("A byte order mark stays in the bytes and moves every range")
    func spansCountTheByteOrderMark() throws {
        let tape = try parse("\u{FEFF}[\"a\"]")
        #expect(tape.bytes.count == 8)
        #expect(tape.span(tape.root) == 3..<8)
        #expect(tape.text(try #require(tape.element(tape.root, at: 0))) == "a")
    }

    @Test("Members are found by name, whatever escapes the name is written with")
    func findsMembers() throws {
        let tape = try parse("{\"a\":1,\"\\u0062\\/\":2,\"\":3,\"Case\":{\"a\":4},\"\\u00e9\":5,\"n\\u0000\":6}")
        func integer(_ index: JSONIndex?) -> Int64? { index.flatMap(tape.integer) }
        #expect(integer(tape.member(tape.root, "a")) == 1)
        #expect(integer(tape.member(tape.root, "b/")) == 2)
        #expect(integer(tape.member(tape.root, "")) == 3)
        #expect(integer(tape.member(tape.root, named: "é")) == 5)
        #expect(integer(tape.member(tape.root, named: "n\0")) == 6)
        #expect(tape.member(tape.root, "case") == nil)
        #expect(tape.member(tape.root, "Cas") == nil)
        #expect(tape.member(tape.root, "Cases") == nil)
        let nested = try #require(tape.member(tape.root, ignoringCase: "cASE"))
        #expect(integer(tape.member(nested, named: "a")) == 4)
        #expect(integer(tape.member(tape.root, ignoringCase: "B/")) == 2)
        #expect(tape.member(try #require(tape.member(tape.root, "a")), "a") == nil)
    }

    @Test("What is no object has no members and what is no array has no elements")
    func scalarsAreEmpty() throws {
        for text in ["1", "\"a\"", "null", "true"] {
            let tape = try parse(text)
            #expect(Array(tape.elements(tape.root)).isEmpty)
            #expect(tape.members(tape.root).first { _ in true } == nil)
            #expect(tape.count(tape.root) == 0)
        }
        let array = try parse("[1]")
        #expect(array.members(array.root).first { _ in true } == nil)
        #expect(array.element(array.root, at: 1) == nil)
        #expect(array.element(array.root, at: -1) == nil)
        let object = try parse("{\"a\":1}")
        #expect(Array(object.elements(object.root)).isEmpty)
        #expect(object.count(object.root) == 1)
    }

    @Test(
        "Texts of scalars",
        arguments: [
            ("\"a\"", "a", "a"), ("1.0", "1.0", "1.0"), ("-7", "-7", "-7"), ("true", nil, "true"),
            ("false", nil, "false"),
            ("null", nil, nil), ("[]", nil, nil), ("{}", nil, nil), ("\"\"", "", ""),
        ] as [(String, String?, String?)])
    func scalarTexts(text: String, expected: String?, scalar: String?) throws {
        let tape = try parse(text)
        #expect(tape.text(tape.root) == expected)
        #expect(tape.scalarText(tape.root) == scalar)
        var bytes = Array("> ".utf8)
        tape.appendText(tape.root, to: &bytes)
        #expect(bytes == Array("> \(scalar ?? "")".utf8))
    }

    /// The raw inside of a string, the text it stands for, and whether it is whole.
    static let strings: [(String, String, Bool)] = [
        ("plain", "plain", true), ("", "", true), ("\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\u{8}\u{C}\n\r\t", true),
        ("\\u0000", "\0", true), ("\\u00e9\\u6f22", "é漢", true), ("\\uD83D\\uDE00", "😀", true), ("é\\n漢", "é\n漢", true),
        ("\\ud83d", "\u{FFFD}", false), ("\\ude00", "\u{FFFD}", false), ("a\\ud83dz", "a\u{FFFD}z", false),
        ("\\ud83d\\ud83d\\ude00", "\u{FFFD}😀", false), ("\\ude00\\ud83d", "\u{FFFD}\u{FFFD}", false),
        ("\\ud83d\\n", "\u{FFFD}\n", false), ("\\ud83d\\\\ude00", "\u{FFFD}\\ude00", false),
        ("\\ud83d\\u0041", "\u{FFFD}A", false), ("\\udbff\\udfff", "\u{10FFFF}", true), ("\\uFFFD", "\u{FFFD}", true),
        ("\u{7F}\u{202E}<script>", "\u{7F}\u{202E}<script>", true),
    ]

    @Test(
        "Escapes are resolved, and a surrogate without its other half reads as U+FFFD and is marked", arguments: strings
    )
    func resolvesEscapes(raw: String, text: String, isClean: Bool) throws {
        let tape = try parse("\"\(raw)\"")
        #expect(tape.text(tape.root).map { Array($0.utf8) } == Array(text.utf8))
        #expect(tape.isClean(tape.root) == isClean)
        #expect(tape.hasEscapes(tape.root) == raw.utf8.contains(UInt8(ascii: "\\")))
        var bytes: [UInt8] = []
        tape.appendText(tape.root, to: &bytes)
        #expect(bytes == Array(text.utf8))
        #expect(tape.equals(tape.root, text))
        #expect(tape.equals(tape.root, utf8: bytes))
        #expect(!tape.equals(tape.root, text + "x"))
        #expect(!tape.equals(tape.root, utf8: bytes + [0]))
        if !bytes.isEmpty { #expect(!tape.equals(tape.root, utf8: bytes.dropLast())) }
    }

    @Test("A lone surrogate marks what holds it, and nothing beside it")
    func marksContainers() throws {
        let tape = try parse("{\"a\":[\"\\ud800\"],\"b\":[\"x\"],\"c\":{\"\\udfff\":1}}")
        #expect(!tape.isClean(tape.root))
        #expect(tape.members(tape.root).map { tape.isClean($0.value) } == [false, true, false])
        let clean = try parse("[[\"\\ud83d\\ude00\"],\"\\u0000\"]")
        #expect(clean.isClean(clean.root))
    }

    @Test("A string equals a constant only when it is a string")
    func comparesConstants() throws {
        let tape = try parse("[\"yes\",\"\\u0079es\",\"YES\",\"no\",1]")
        #expect(tape.elements(tape.root).map { tape.equals($0, "yes") } == [true, true, false, false, false])
        #expect(
            tape.elements(tape.root).map { tape.equals($0, ignoringCase: "yEs") } == [true, true, true, false, false])
        #expect(tape.elements(tape.root).map { tape.equals($0, "1") } == [false, false, false, false, false])
    }

    @Test(
        "Numbers keep their text; those that fit are integers",
        arguments: [
            ("0", .integer, 0, 0), ("-0", .integer, 0, 0), ("9223372036854775807", .integer, Int64.max, 0x1p63),
            ("-9223372036854775808", .integer, Int64.min, -0x1p63), ("9223372036854775808", .decimal, nil, 0x1p63),
            ("-9223372036854775809", .decimal, nil, -0x1p63),
            ("999999999999999999", .integer, 999_999_999_999_999_999, 1e18),
            ("18446744073709551616", .decimal, nil, 0x1p64), ("1.0", .decimal, nil, 1), ("1e2", .decimal, nil, 100),
            ("1e400", .decimal, nil, nil), ("-1e400", .decimal, nil, nil), ("1e-400", .decimal, nil, 0),
            ("0.1", .decimal, nil, 0.1), ("-12.5E-1", .decimal, nil, -1.25),
            ("5e-324", .decimal, nil, Double.leastNonzeroMagnitude),
            ("1.7976931348623157e308", .decimal, nil, Double.greatestFiniteMagnitude),
            ("100000000000000000000000000000000000000", .decimal, nil, 1e38),
        ] as [(String, JSONKind, Int64?, Double?)])
    func readsNumbers(text: String, kind: JSONKind, integer: Int64?, double: Double?) throws {
        for padded in [text, "[\(text)]", "[\(text) ,1]"] {
            let tape = try parse(padded)
            let index = padded == text ? tape.root : try #require(tape.element(tape.root, at: 0))
            #expect(tape.kind(index) == kind)
            #expect(tape.text(index) == text)
            #expect(tape.integer(index) == integer)
            #expect(tape.double(index) == double)
        }
    }

    @Test("Booleans and numbers are read from nothing else")
    func readsNoOtherKinds() throws {
        let tape = try parse("[true,false,\"true\",\"1\",null,[],{}]")
        #expect(tape.elements(tape.root).map(tape.bool) == [true, false, nil, nil, nil, nil, nil])
        #expect(tape.elements(tape.root).allSatisfy { tape.integer($0) == nil && tape.double($0) == nil })
    }
}
