import Events
import JSON
import Testing

@Suite("Members cut out of a payload")
struct OriginalRemovalsTests {
    private func cut(_ text: String, _ names: Set<String>) throws -> String {
        let tape = try JSONParser().parse(Array(text.utf8))
        var removals = OriginalRemovals()
        func visit(_ place: JSONIndex) {
            for (key, value) in tape.members(place) {
                if names.contains(tape.text(key) ?? "") {
                    removals.remove(tape, key: key, value: value)
                } else {
                    visit(value)
                }
            }
        }
        visit(tape.root)
        var result: [UInt8] = []
        removals.append(tape, tape.span(tape.root), to: &result)
        return String(decoding: result, as: UTF8.self)
    }

    @Test(
        "take one comma with them and leave every other byte as it was",
        arguments: [
            (#"{"x":1,"a":2}"#, #"{"a":2}"#),
            (#"{"a":2,"x":1}"#, #"{"a":2}"#),
            (#"{ "a" : 2 , "x" : 1 , "b" : 3 }"#, #"{ "a" : 2 ,  "b" : 3 }"#),
            (#"{"x":1}"#, "{}"),
            (#"{"x":1,"y":2}"#, "{}"),
            (#"{"a":1,"x":1,"y":2}"#, #"{"a":1}"#),
            (#"{"x":{"deep":[1,2]},"p":{"y":"a\"b","q":1}}"#, #"{"p":{"q":1}}"#),
            (#"{"a":{"x":1},"b":{"y":2}}"#, #"{"a":{},"b":{}}"#),
        ])
    func cuts(text: String, expected: String) throws {
        let result = try cut(text, ["x", "y"])
        #expect(result == expected)
        _ = try JSONParser().parse(Array(result.utf8))
    }
}
