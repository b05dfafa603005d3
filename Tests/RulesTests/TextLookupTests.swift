import Events
import Testing

@testable import Rules

@Suite("Texts of an event")
struct TextLookupTests {
    /// Around what fits one number, and what fits two.
    static let lengths = [1, 2, 7, 8, 9, 15, 16, 17, 18, 24, 31, 32, 33, 40]

    /// One text of this length, and one for each place that differs from it there only.
    private static func texts(_ length: Int) -> [String] {
        let text = (0..<length).map { Character(Unicode.Scalar(UInt8(ascii: "a") + UInt8($0 % 20))) }
        return [String(text)]
            + (0..<length).map { place in
                var other = text
                other[place] = "z"
                return String(other)
            }
    }

    private static func plan(_ conditions: [String]) throws -> RulePlan {
        try routes(
            "routes:\n"
                + conditions.enumerated().map { "  - {name: r\($0), when: {additional: {\($1)}}, to: siem}\n" }.joined()
        )
    }

    private static func taking(_ plan: RulePlan, _ members: [String]) throws -> [Int] {
        var scratch = MatchScratch()
        let event = try event("{\"additional\":{\(members.joined(separator: ","))}}")
        let taken = plan.routes(taking: event, scratch: &scratch)
        #expect(plan.match(event, scratch: &scratch).flatMap(\.routes) == taken)
        return taken
    }

    @Test("a value is told from every other by each of its bytes, in either case", arguments: lengths)
    func values(_ length: Int) throws {
        let texts = Self.texts(length)
        let plan = try Self.plan(texts.map { "k: \"\($0)\"" })
        for (place, text) in texts.enumerated() {
            for value in [text, text.uppercased(), "  \(text) "] {
                #expect(try Self.taking(plan, ["\"k\":\"\(value)\""]) == [place])
                #expect(try Self.taking(plan, ["\"k\":[\"\(value)\",\"\(value)\"]"]) == [place])
            }
            for other in [text + "a", text.dropLast() + "y", text.dropLast() + "é", "\(text.dropLast())"] {
                #expect(try Self.taking(plan, ["\"k\":\"\(other)\""]) == [])
            }
        }
    }

    @Test("a key is told from every other by each of its bytes", arguments: lengths)
    func keys(_ length: Int) throws {
        let keys = Self.texts(length)
        let plan = try Self.plan(keys.map { "\"\($0)\": x" })
        for (place, key) in keys.enumerated() {
            #expect(try Self.taking(plan, ["\"\(key)\":\"x\""]) == [place])
            #expect(try Self.taking(plan, ["\"\(key)a\":\"x\"", "\"\(key.dropLast())y\":\"x\""]) == [])
        }
    }

    @Test("many texts of one event are found, each at its own place")
    func together() throws {
        let texts = (0..<30).map { "answer \(String(repeating: "long ", count: $0 % 5))\($0)" }
        let pairs = (0..<30).flatMap { key in (0..<30).map { (key, $0) } }
        let plan = try Self.plan(pairs.map { "key \($0.0): \"\(texts[$0.1])\"" })
        for shift in [0, 1, 17] {
            let members = (0..<30).map { "\"key \($0)\":\"\(texts[($0 + shift) % 30])\"" }
            #expect(try Self.taking(plan, members) == (0..<30).map { $0 * 30 + ($0 + shift) % 30 })
        }
    }

    @Test("letters of ASCII are folded eight at once as they are one by one")
    func folding() {
        for byte in UInt8(0)..<0x80 {
            for length in 1...ShortText.longest {
                for place in 0..<length {
                    var text = [UInt8](repeating: UInt8(ascii: "Q"), count: length)
                    text[place] = byte
                    var folded: [UInt8] = []
                    TextFolding.fold(text, 0..<length, into: &folded)
                    #expect(ShortText(text, 0..<length).folded == ShortText(folded, 0..<length))
                    #expect(ShortText(text, 0..<length).isASCII)
                }
            }
        }
        #expect(!ShortText([0x61, 0xC3, 0xA9], 0..<3).isASCII)
        #expect(!ShortText([UInt8](repeating: 0x61, count: 15) + [0xFF], 0..<16).isASCII)
    }
}
