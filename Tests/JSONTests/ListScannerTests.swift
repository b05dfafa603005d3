import JSON
import Testing

/// What the scanner makes of a text.
struct Scan: Equatable {
    var elements: [String]
    var state: JSONListScanner.State
    /// What is left from `pendingStart` on.
    var rest: String?

    init(elements: [String], state: JSONListScanner.State = .complete, rest: String? = nil) {
        self.elements = elements
        self.state = state
        self.rest = rest
    }

    /// Scans the text in the chunks that end at the given places.
    init(_ text: [UInt8], cuts: [Int]) {
        var scanner = JSONListScanner()
        var found: [JSONListElement] = []
        var position = 0
        for cut in cuts + [text.count] {
            unsafe text[position..<cut].withUnsafeBytes { chunk in unsafe scanner.scan(chunk) { found.append($0) } }
            position = cut
        }
        scanner.finish()
        #expect(found.map(\.index) == Array(0..<found.count))
        #expect(scanner.count == found.count)
        #expect(scanner.offset == text.count)
        self.init(
            elements: found.map { String(decoding: text[$0.range], as: UTF8.self) }, state: scanner.state,
            rest: scanner.pendingStart.map { String(decoding: text[$0...], as: UTF8.self) })
    }
}

@Suite struct ListScannerTests {
    static let cases: [(String, Scan)] = [
        ("[]", Scan(elements: [])), (" [ \n] \t", Scan(elements: [])), ("[1]", Scan(elements: ["1"])),
        ("\u{FEFF}[1, 2 ,3]", Scan(elements: ["1", "2", "3"])), ("\u{FEFF} [1]", Scan(elements: ["1"])),
        ("[{\"a\":[1,2,{}]},[3,[4]],\"x\"]\n", Scan(elements: ["{\"a\":[1,2,{}]}", "[3,[4]]", "\"x\""])),
        ("[\"],[\",\"\\\"],[\\\\\",\"{\"]", Scan(elements: ["\"],[\"", "\"\\\"],[\\\\\"", "\"{\""])),
        (
            "[\"é漢😀\\ud83d\\ude00\",{\"ß\":\"\\u0022]\"}]",
            Scan(elements: ["\"é漢😀\\ud83d\\ude00\"", "{\"ß\":\"\\u0022]\"}"])
        ),
        ("[null , true,-1.5e3]", Scan(elements: ["null", "true", "-1.5e3"])),
        // Elements with errors of their own.
        ("[1,,2]", Scan(elements: ["1", "", "2"])), ("[1,]", Scan(elements: ["1", ""])),
        ("[,]", Scan(elements: ["", ""])),
        ("[ , 1]", Scan(elements: ["", "1"])), ("[1 2,3]", Scan(elements: ["1 2", "3"])),
        ("[{} {},{}]", Scan(elements: ["{} {}", "{}"])),
        ("[nope,{\"a\":},{b}]", Scan(elements: ["nope", "{\"a\":}", "{b}"])),
        ("[{\"a\":\"\n\"},1]", Scan(elements: ["{\"a\":\"\n\"}", "1"])), ("[:,1]", Scan(elements: [":", "1"])),
        // The structure is lost.
        ("[1,{\"a\":2],3]", Scan(elements: ["1"], state: .broken(at: 9, .mismatchedBracket), rest: "{\"a\":2],3]")),
        ("[1,2},3]", Scan(elements: ["1"], state: .broken(at: 4, .mismatchedBracket), rest: "2},3]")),
        ("[1,}]", Scan(elements: ["1"], state: .broken(at: 3, .mismatchedBracket), rest: "}]")),
        ("[1,{\"a\":[2},3]", Scan(elements: ["1"], state: .broken(at: 10, .mismatchedBracket), rest: "{\"a\":[2},3]")),
        (
            "[1,{\"a\":\"x},{\"b\":\"y\"}]",
            Scan(elements: ["1"], state: .broken(at: 22, .unterminated), rest: "{\"a\":\"x},{\"b\":\"y\"}]")
        ),
        ("[1,x\\\"],2]", Scan(elements: ["1"], state: .broken(at: 4, .strayBackslash), rest: "x\\\"],2]")),
        ("[1] x", Scan(elements: ["1"], state: .broken(at: 4, .trailingContent), rest: "x")),
        ("[1]][", Scan(elements: ["1"], state: .broken(at: 3, .trailingContent), rest: "][")),
        ("[1,2", Scan(elements: ["1"], state: .broken(at: 4, .unterminated), rest: "2")),
        ("[1,", Scan(elements: ["1"], state: .broken(at: 3, .unterminated), rest: "")),
        ("[1, ", Scan(elements: ["1"], state: .broken(at: 4, .unterminated), rest: "")),
        ("[", Scan(elements: [], state: .broken(at: 1, .unterminated), rest: "")),
        ("[\"\\", Scan(elements: [], state: .broken(at: 3, .unterminated), rest: "\"\\")),
        // No list.
        ("", Scan(elements: [], state: .notAList)), (" \n", Scan(elements: [], state: .notAList)),
        ("{\"a\":[1]}", Scan(elements: [], state: .notAList, rest: "{\"a\":[1]}")),
        (" 7 ", Scan(elements: [], state: .notAList, rest: "7 ")),
        ("]", Scan(elements: [], state: .notAList, rest: "]")),
        ("\u{FEFF}{}", Scan(elements: [], state: .notAList, rest: "{}")),
        ("\u{FEFF}\u{FEFF}[1]", Scan(elements: [], state: .notAList, rest: "\u{FEFF}[1]")),
        (" \u{FEFF}[1]", Scan(elements: [], state: .notAList, rest: "\u{FEFF}[1]")),
    ]

    @Test("A list is split the same wherever the chunks end", arguments: cases)
    func splitsInAnyChunks(text: String, expected: Scan) {
        let bytes = Array(text.utf8)
        #expect(Scan(bytes, cuts: []) == expected)
        #expect(Scan(bytes, cuts: Array(0...bytes.count)) == expected)
        for first in 0...bytes.count {
            for second in first...bytes.count { #expect(Scan(bytes, cuts: [first, second]) == expected) }
        }
    }

    @Test(
        "Half a byte order mark begins no list",
        arguments: [[0xEF, 0x5B, 0x5D], [0xEF, 0xBB, 0x5B, 0x5D], [0xBB, 0xBF, 0x5B], [0xEF]])
    func refusesHalfAMark(text: [UInt8]) {
        for cut in 0...text.count {
            let scan = Scan(text, cuts: [cut])
            #expect(scan.state == .notAList)
            #expect(scan.rest == String(decoding: text, as: UTF8.self))
        }
    }

    @Test("A random list's elements are those the parser finds")
    func agreesWithTheParser() throws {
        var random = Random(seed: 4)
        let parser = JSONParser()
        for _ in 0..<200 {
            let elements = (0..<Int.random(in: 0..<10, using: &random)).map { _ in Value.random(depth: 3, &random) }
            let text = Value.array(elements).text
            let tape = try parser.parse(text)
            let spans = tape.elements(tape.root).map { String(decoding: text[tape.span($0)], as: UTF8.self) }
            let cuts = (0..<5).map { _ in Int.random(in: 0...text.count, using: &random) }.sorted()
            #expect(Scan(text, cuts: cuts) == Scan(elements: spans))
        }
    }

    @Test("One bad element, at any place of a list, leaves every other one whole", arguments: 0..<6)
    func boundsTheDamage(place: Int) throws {
        let bad = [
            "", "nope", "{\"a\":1,\"a\":2}", "{\"a\":\"\\x\"}", "{\"a\" 1}", "\u{0}",
            String(repeating: "[", count: 2000) + String(repeating: "]", count: 2000),
        ]
        for element in bad {
            var elements = (0..<6).map { "{\"id\":\($0)}" }
            elements[place] = element
            let scan = Scan(Array("[\(elements.joined(separator: ","))]".utf8), cuts: [7])
            #expect(scan == Scan(elements: elements))
            for (index, text) in scan.elements.enumerated() {
                #expect((try? JSONParser().parse(Array(text.utf8))) != nil || index == place)
            }
        }
    }

    @Test("Nesting beyond what the scanner tells apart is still counted")
    func countsDeepNesting() {
        let deep = String(repeating: "[{\"a\":", count: 500) + "1" + String(repeating: "}]", count: 500)
        #expect(Scan(Array("[\(deep),2]".utf8), cuts: [1234]) == Scan(elements: [deep, "2"]))
        let open = [UInt8](repeating: UInt8(ascii: "["), count: 100_000)
        #expect(Scan(open, cuts: []).state == .broken(at: 100_000, .unterminated))
    }

    @Test("What need not be kept is told while the list comes in")
    func tellsWhatToKeep() {
        var scanner = JSONListScanner()
        func pending(after text: String) -> Int? {
            unsafe Array(text.utf8).withUnsafeBytes { chunk in unsafe scanner.scan(chunk) { _ in } }
            return scanner.pendingStart
        }
        #expect(pending(after: " [") == nil)
        #expect(pending(after: " {\"a\":") == 3)
        #expect(pending(after: "1} ") == 3)
        #expect(pending(after: ", ") == nil)
        #expect(pending(after: "2") == 13)
        #expect(pending(after: "]") == nil)
        #expect(scanner.state == .complete)
    }
}
