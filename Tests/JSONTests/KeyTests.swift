import JSON
import Testing

@Suite struct KeyTests {
    private func object(_ keys: [String]) -> [UInt8] {
        Array(("{" + keys.map { "\"\($0)\":0" }.joined(separator: ",") + "}").utf8)
    }

    @Test("Two equal keys are found wherever they are, in objects of every size up to a hundred", arguments: 2...100)
    func findsDuplicates(size: Int) throws {
        let parser = JSONParser()
        let keys = (0..<size).map { "member\($0)" }
        let tape = try parser.parse(object(keys))
        #expect(tape.count(tape.root) == size)
        for first in Set([0, size / 2, size - 2]) {
            for second in Set([first + 1, size - 1]) where second > first && second < size {
                for spelling in [keys[first], "\\u006dember\(first)"] {
                    var duplicated = keys
                    duplicated[second] = spelling
                    let text = object(duplicated)
                    let error = try #require(throws: JSONError.self) { try parser.parse(text) }
                    #expect(error.code == .duplicateKey)
                    #expect(error.offset == 1 + duplicated[..<second].reduce(0) { $0 + $1.utf8.count + 5 })
                }
            }
        }
    }

    @Test("Keys that differ only beyond a common beginning, in length, or in letter case are different")
    func tellsSimilarKeysApart() throws {
        let beginning = String(repeating: "x", count: 40)
        for count in [3, 30] {
            let keys = (0..<count).flatMap { ["\(beginning)\($0)", String(repeating: "k", count: $0 + 1), "\\n\($0)"] }
            let tape = try JSONParser().parse(
                object(keys + ["", "a", "A", "\\u0000", "\\u0000\\u0000", "\u{E9}", "e\u{301}"]))
            #expect(tape.count(tape.root) == keys.count + 7)
        }
    }

    @Test("A hundred thousand keys, plain or escaped, are checked; one that repeats is found")
    func checksManyKeys() throws {
        let parser = JSONParser()
        for prefix in ["k", "\\u006b", String(repeating: "same beginning ", count: 4)] {
            var keys = (0..<100_000).map { "\(prefix)\($0)" }
            let tape = try parser.parse(object(keys))
            #expect(tape.count(tape.root) == 100_000)
            #expect(tape.member(tape.root, named: prefix == "\\u006b" ? "k99999" : "\(prefix)99999") != nil)
            keys[99_999] = keys[7]
            let error = try #require(throws: JSONError.self) { try parser.parse(object(keys)) }
            #expect(error.code == .duplicateKey)
        }
    }

    @Test("Equal keys in different objects are no duplicates")
    func comparesWithinOneObject() throws {
        let text = Array("{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":2}],\"c\":{\"a\":{\"b\":1}}}".utf8)
        #expect(try Value(parsing: text) == ReferenceReader.read(text))
    }
}
