import Testing

@testable import YAML

@Suite("Reading YAML")
struct ParserTests {
    @Test(
        "scalars are kept as written",
        arguments: ["No", "04567", "22:00", "1e3", "0x1F", "yes", "~", "1_000", "2024-01-01", "3.0"])
    func asWritten(_ text: String) throws {
        #expect(shape(try parsed("a: \(text)\nb: [\(text)]\n\(text)x: 1\n")) == "{a:\(text),b:[\(text)],\(text)x:1}")
    }

    @Test(
        "a file of nothing, spaces or comments holds nothing",
        arguments: ["", "\n \n", "# only words\n", "\u{FEFF}# words\n", "---\n"])
    func empty(_ text: String) throws {
        let node = try parseYAML(Array(text.utf8), file: "a.yaml")
        #expect(node == nil || node?.isNull == true)
    }

    @Test("quoted, folded and literal scalars are text without their quotes")
    func quoted() throws {
        let text = "a: \"x\\ny\\u00e9\"\nb: 'it''s'\nc: |\n  one\n  two\nd: >-\n  one\n  two\n"
        #expect(shape(try parsed(text)) == "{a:\"x\nyé\",b:\"it's\",c:\"one\ntwo\n\",d:\"one two\"}")
    }

    @Test("a NUL escaped in quotes does not cut the text short")
    func nul() throws {
        let node = try parsed("a: \"x\\0y\"\n")
        #expect(node["a"]?.scalar?.text == "x\0y")
        #expect(node["a"]?.scalar?.displayText == "x\\u{0}y")
    }

    @Test("every value knows its line and its column in characters")
    func locations() throws {
        let node = try parsed("a:\r\n  - é: [ü, x]\r\n    b: \"c\"\r\n")
        let first = try #require(node["a"]?.elements?.first?.entries)
        #expect(first[0].key.location == SourceLocation(file: "a.yaml", line: 2, column: 5))
        #expect(first[0].value.elements?[1].location == SourceLocation(file: "a.yaml", line: 2, column: 12))
        #expect(first[1].value.location == SourceLocation(file: "a.yaml", line: 3, column: 8))
    }

    @Test("a byte order mark does not move the columns")
    func byteOrderMark() throws {
        #expect(try parsed("\u{FEFF}a: b\n")["a"]?.location.column == 4)
    }

    @Test(
        "what this dialect does not take is refused where it stands, saying what to write instead",
        arguments: [
            ("a: 1\nb: 2\na: 3\n", "a.yaml:3:1: duplicate key `a`, first used on line 1; remove one of the two"),
            ("a: {b: 1, b: 2}", "a.yaml:1:11: duplicate key `b`, first used on line 1; remove one of the two"),
            ("\"a\": 1\na: 2\n", "a.yaml:2:1: duplicate key `a`, first used on line 1; remove one of the two"),
            (
                "a: &x 1\n",
                "a.yaml:1:4: anchors (`&x`) are not used here; remove it, or quote the text that begins with &"
            ),
            (
                "a: &x {b: 1}\n",
                "a.yaml:1:4: anchors (`&x`) are not used here; remove it, or quote the text that begins with &"
            ),
            ("a: *x\n", "a.yaml:1:4: aliases (`*x`) are not used here; write the value out, or quote it: \"*x\""),
            ("site: *\n", "a.yaml:1:7: a value cannot begin with `*`; put the value in quotes"),
            ("site: & b\n", "a.yaml:1:7: a value cannot begin with `&`; put the value in quotes"),
            (
                "a: !!str 1\n",
                "a.yaml:1:4: tags (`!!str`) are not used here; remove it, or quote the text that begins with !"
            ),
            (
                "a: !x [1]\n",
                "a.yaml:1:4: tags (`!x`) are not used here; remove it, or quote the text that begins with !"
            ),
            (
                "a: !x!y 1\n",
                "a.yaml:1:4: tags (`!…`) are not used here; remove it, or quote the text that begins with !"
            ),
            ("<<: {a: 1}\nb: 2\n", "a.yaml:1:1: merge keys (`<<`) are not used here; write the keys out"),
            ("a: 1\n---\nb: 2\n", "a.yaml:2:1: a file holds one document; remove this `---`, or use a second file"),
            ("a:\n\tb: 1\n", "a.yaml:2:1: a tab cannot indent; use spaces"),
            ("a:\n  b: 1\n  \tc: 2\n", "a.yaml:3:3: a tab cannot indent; use spaces"),
            ("a:\n  - b\n\t- c\n", "a.yaml:3:1: a tab cannot indent; use spaces"),
            ("? [a]\n: 1\n", "a.yaml:1:3: a key is a name, not a list; to mean it as text, put quotes around it"),
            ("a: {{ b }}\n", "a.yaml:1:5: a key is a name, not a mapping; to mean it as text, put quotes around it"),
            ("a: {b:, c: 1}\n", "a.yaml:1:6: put a space after this colon, or quotes around the text it belongs to"),
            ("{: 1}\n", "a.yaml:1:2: a value or key is missing here; to mean an empty text, write \"\""),
            (
                "?\n: 1\n", "a.yaml:1:2: a key is missing before the colon; to mean a text, put quotes around it"
            ),
            ("domain: @acme.com\n", "a.yaml:1:9: a value cannot begin with `@`; put the value in quotes"),
            ("a: `x`\n", "a.yaml:1:4: a value cannot begin with ```; put the value in quotes"),
            ("a: %x\n", "a.yaml:1:4: a value cannot begin with `%`; put the value in quotes"),
            (
                "a: b: c\n",
                "a.yaml:1:5: `: ` begins a mapping, which cannot stand here; put the value in quotes, or check the indentation"
            ),
            ("a: 'x\nb: 1\n", "a.yaml:1:4: the quotation mark opened on line 1 is never closed"),
            (
                "a: \"\\d\"\n",
                "a.yaml:1:5: unknown escape in double quotes; write `\\\\` for a backslash, or use single quotes"
            ),
            ("a: [1, 2\nb: 1\n", "a.yaml:2:2: expected `,` or `]` in the list opened on line 1"),
            ("a: {b: 1\nc: 1\n", "a.yaml:2:2: expected `,` or `}` in the mapping opened on line 1"),
            ("a: 1\nb\nc: 2\n", "a.yaml:2:1: expected `key: value`; put a colon and a space after the key"),
            (
                "a: - b\n",
                "a.yaml:1:4: a list item (`- `) cannot stand here; begin it on a line of its own, or put the value in quotes"
            ),
            ("- a\nb: 1\n", "a.yaml:2:1: expected `- ` as in the list begun on line 1; check the indentation"),
            (
                "a: 1\n b: 2\n",
                "a.yaml:2:3: `: ` begins a mapping, which cannot stand here; put the value in quotes, or check the indentation"
            ),
            (
                "a: \"x\" y\n",
                "a.yaml:1:8: expected a key here; check the indentation, and the quotes of the line above"
            ),
        ])
    func refused(_ text: String, _ expected: String) {
        #expect(complaints(text) == expected)
    }

    @Test("everything that is wrong is told at once, in the order of the file")
    func allAtOnce() {
        #expect(
            complaints("a: *x\nb: {c: 1, c: 2}\nd: !t 1\nd: 2\n") == """
                a.yaml:1:4: aliases (`*x`) are not used here; write the value out, or quote it: "*x"
                a.yaml:2:11: duplicate key `c`, first used on line 2; remove one of the two
                a.yaml:3:4: tags (`!t`) are not used here; remove it, or quote the text that begins with !
                a.yaml:4:1: duplicate key `d`, first used on line 3; remove one of the two
                """)
    }

    @Test("a tab is refused only where it indents")
    func innocentTabs() throws {
        #expect(shape(try parsed("a:\t1\nb: \"x\ty\"\nc: |\n  y\n  \tz\n")) == "{a:1,b:\"x\ty\",c:\"y\n\tz\n\"}")
    }

    @Test("bytes that are not UTF-8 and control characters are refused, each where it stands")
    func bytes() {
        let bytes: [UInt8] = Array("é: ".utf8) + [0xFF] + Array("\nb: x".utf8) + [0x1B] + Array("\n".utf8)
        #expect(
            complaints(bytes) == """
                a.yaml:1:4: not UTF-8 text; save the file as UTF-8
                a.yaml:2:5: a control character (U+1B) cannot stand here; remove it, or write it as "\\x1B"
                """)
        #expect(complaints([0xFF, 0xFE, 0x61, 0]) == "a.yaml:1:1: the file is UTF-16; save it as UTF-8")
        #expect(complaints([UInt8](repeating: 0xFF, count: 5000)).split(separator: "\n").count == 20)
    }

    @Test("size and depth have bounds")
    func bounds() throws {
        let tooLarge = [UInt8](repeating: UInt8(ascii: "#"), count: maximumYAMLBytes + 1)
        #expect(complaints(tooLarge) == "a.yaml:1:1: the file is larger than 64 MiB; split it into several files")
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(complaints(nested(64)) == "(taken)")
        #expect(complaints(nested(65)) == "a.yaml:1:65: nested deeper than 64 levels")
        #expect(complaints(String(repeating: "[", count: 100_000)) == "a.yaml:1:65: nested deeper than 64 levels")
        #expect(complaints(String(repeating: "{a: ", count: 100_000)).contains("nested deeper than 64 levels"))
    }

    @Test("keys and values are counted over the files that are read together")
    func budget() throws {
        var budget = 10
        #expect(try parseYAML(Array("a: [b, c]\n".utf8), file: "a.yaml", budget: &budget) != nil)
        #expect(budget == 5)
        #expect(throws: Diagnostics.self) {
            try parseYAML(Array("[a, b, c, d, e]\n".utf8), file: "b.yaml", budget: &budget)
        }
        #expect(budget == 0)
    }

    @Test("a duplicate key is found in a mapping of any size", arguments: [2, 16, 17, 18, 200])
    func duplicatesInLargeMappings(_ count: Int) {
        let keys = (1..<count).map { "k\($0): x\n" }.joined()
        for first in [1, count - 1] {
            #expect(
                complaints(keys + "k\(first): y\n")
                    == "a.yaml:\(count):1: duplicate key `k\(first)`, first used on line \(first); remove one of the two"
            )
        }
        #expect(complaints(keys + "k0: y\n") == "(taken)")
    }

    @Test("a scalar knows how it was written")
    func styles() throws {
        let node = try parsed("[a, 'a', \"a\"]\n")
        #expect(node.elements?.map { $0.scalar?.style } == [.plain, .singleQuoted, .doubleQuoted])
        #expect(try parsed("a: |\n  text\n")["a"]?.scalar?.style == .block)
        #expect(try parsed("a: >\n  text\n")["a"]?.scalar?.style == .block)
    }

    @Test("no text, however broken, does more than give diagnostics")
    func hostile() {
        let pieces = [
            "a: ", "- ", "[", "]", "{", "}", "\n", "  ", "\t", "\"", "'", "|", ">", "&x", "*x", "!t ", "? ", ": ", ",",
            "#", "%Y",
            "---", "...", "@", "é", "\u{2028}", "${env:", "\r", "x", "<<", "0",
        ]
        var random = SplitMix(seed: 7)
        for _ in 0..<3000 {
            let text = (0..<Int.random(in: 1...24, using: &random)).map { _ in
                pieces.randomElement(using: &random) ?? ""
            }
            .joined()
            do throws(Diagnostics) {
                _ = try parseYAML(Array(text.utf8), file: "a.yaml")
            } catch {
                #expect(error.hasErrors)
                #expect(!error.all.contains { $0.location.line < 1 || $0.location.column < 1 || $0.message.isEmpty })
                #expect(!error.rendered { _ in Array(text.utf8) }.isEmpty)
            }
        }
    }
}

/// A small generator with a seed, so that a failure can be seen again.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
