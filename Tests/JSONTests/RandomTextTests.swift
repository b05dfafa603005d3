import Foundation
import JSON
import Testing

@Suite struct RandomTextTests {
    @Test("What the writer writes the parser reads back the same")
    func readsWhatIsWritten() throws {
        var random = Random(seed: 2)
        let parser = JSONParser()
        for _ in 0..<1000 {
            let value = Value.random(depth: 4, &random)
            #expect(try Value(parsing: value.text, with: parser) == value)
        }
    }

    @Test("Foundation reads the same values")
    func agreesWithFoundation() throws {
        var random = Random(seed: 3)
        let parser = JSONParser()
        for _ in 0..<300 {
            // Foundation loses U+FEFF at the beginning of a string.
            let text = Value.random(depth: 3, &random).text.split(separator: [0xEF, 0xBB, 0xBF]).flatMap(\.self)
            let tape = try parser.parse(text)
            let other = try JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)
            #expect(matches(tape, tape.root, other), "\(String(decoding: text, as: UTF8.self))")
        }
    }

    private func matches(_ tape: JSONTape, _ index: JSONIndex, _ other: Any) -> Bool {
        switch tape.kind(index) {
        case .null: return other is NSNull
        case .boolTrue, .boolFalse: return (other as? NSNumber)?.boolValue == tape.bool(index)
        case .integer: return (other as? NSNumber)?.int64Value == tape.integer(index)
        case .decimal:
            // Foundation goes by way of decimal arithmetic and is off in the last digits.
            guard let own = tape.double(index), let number = other as? NSNumber else { return false }
            return abs(number.doubleValue - own) <= abs(own) * 1e-14
        case .string: return (other as? String).map { Array($0.utf8) } == tape.text(index).map { Array($0.utf8) }
        case .array:
            guard let list = other as? [Any], list.count == tape.count(index) else { return false }
            return zip(tape.elements(index), list).allSatisfy { matches(tape, $0, $1) }
        case .object:
            guard let entries = other as? [String: Any] else { return false }
            // Foundation takes canonically equivalent keys for one.
            let names = Set(tape.members(index).map { tape.text($0.key) ?? "" })
            return entries.count == names.count
                && tape.members(index).allSatisfy { key, value in
                    entries[tape.text(key) ?? ""].map { matches(tape, value, $0) } ?? false
                }
        }
    }

    @Test("A number reads as the nearest double")
    func agreesWithSwiftOnNumbers() throws {
        var random = Random(seed: 5)
        let parser = JSONParser()
        for _ in 0..<5000 {
            let bits = Double(bitPattern: random.next())
            let significand = UInt64.random(in: 0...(.max), using: &random)
            let exponent = Int.random(in: -345...310, using: &random)
            for text in [bits.isFinite ? "\(bits)" : "0", "\(significand)e\(exponent)", "-0.\(significand)"] {
                let tape = try parser.parse(Array(text.utf8))
                let expected = try #require(Double(text))
                #expect(tape.double(tape.root) == (expected.isFinite ? expected : nil), "\(text)")
            }
        }
    }

    @Test("Damaged texts are accepted or refused, and read, as byte-by-byte reading has it", arguments: 0..<8)
    func agreesWithTheReferenceOnDamagedTexts(seed: Int) throws {
        var random = Random(seed: UInt64(100 + seed))
        let parser = JSONParser()
        let pieces =
            [
                "{", "}", "[", "]", ",", ":", "\"", "\\", " ", "\n", "0", "1", "-", ".", "e", "true", "null", "\\u",
                "d83d",
                "\\ud83d", "\\ude00", "\u{0}", "\u{C}", "a", "é", "{\"a\":1}", "[]", "\\\"", "\t", "/",
            ]
            .map { Array($0.utf8) } + [[0xFF], [0xC3], [0xEF, 0xBB, 0xBF], [0x80]]
        var accepted = 0
        for _ in 0..<1500 {
            var text = Value.random(depth: 2, &random).text
            for _ in 0..<Int.random(in: 1...2, using: &random) {
                let place = Int.random(in: 0...text.count, using: &random)
                let end = Int.random(in: place...min(text.count, place + 2), using: &random)
                text.replaceSubrange(place..<end, with: pieces.randomElement(using: &random)!)
            }
            let expected = try? ReferenceReader.read(text)
            let found = try? Value(parsing: text, with: parser)
            #expect(found == expected, "\(String(decoding: text, as: UTF8.self).debugDescription)")
            if expected != nil { accepted += 1 }
        }
        #expect(accepted > 50 && accepted < 1450)
    }

    @Test("Short texts of structural characters are accepted or refused as byte-by-byte reading has it")
    func agreesWithTheReferenceOnShortTexts() {
        let parser = JSONParser()
        let alphabet = Array("{}[],:\"\\1- n".utf8)
        for length in 1...4 {
            var digits = [Int](repeating: 0, count: length)
            repeat {
                let text = digits.map { alphabet[$0] }
                let found = try? Value(parsing: text, with: parser)
                #expect(found == (try? ReferenceReader.read(text)), "\(String(decoding: text, as: UTF8.self))")
            } while Self.count(&digits, base: alphabet.count)
        }
    }

    /// Steps to the next combination; false after the last.
    private static func count(_ digits: inout [Int], base: Int) -> Bool {
        for place in digits.indices {
            digits[place] += 1
            if digits[place] < base { return true }
            digits[place] = 0
        }
        return false
    }
}
