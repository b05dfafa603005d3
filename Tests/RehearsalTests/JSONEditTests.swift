import JSON
import Testing

@testable import Rehearsal

@Suite("Editing a JSON text") struct JSONEditTests {
    private func edited(_ text: String, _ pointer: String, _ value: String?) throws -> String {
        let tape = try JSONParser().parse(Array(text.utf8))
        let edit = try JSONEdit(pointer: JSONPointer(pointer), value: value.map { Array($0.utf8) })
        return String(decoding: try edit.applied(to: tape), as: UTF8.self)
    }

    @Test(
        "sets one value and leaves all others as they are written",
        arguments: [
            (#"{"a":1.50,"b":[1,2]}"#, "/b/0", "x", #"{"a":1.50,"b":["x",2]}"#),
            (#"{"a":{}}"#, "/a/b/c", "x", #"{"a":{"b":{"c":"x"}}}"#),
            (#"{"a":null}"#, "/a/b", "x", #"{"a":{"b":"x"}}"#),
            (#"{"a":[1]}"#, "/a/1", "x", #"{"a":[1,"x"]}"#),
            (#"{"a":1}"#, "/", "x", #"{"a":1,"":"x"}"#),
            (#"{"é":"é"}"#, "/é", "x", #"{"é":"x"}"#),
            (#"{"a":1}"#, "", "x", #""x""#),
        ])
    func sets(_ text: String, _ pointer: String, _ value: String, _ expected: String) throws {
        #expect(try edited(text, pointer, "\"\(value)\"") == expected)
    }

    @Test(
        "removes one value",
        arguments: [
            (#"{"a":1,"b":2}"#, "/a", #"{"b":2}"#), (#"[1,2,3]"#, "/1", "[1,3]"), (#"{"a":1}"#, "/b", #"{"a":1}"#),
            (#"{"a":{"b":1}}"#, "/a/b", #"{"a":{}}"#), (#"{"a":1}"#, "/b/c", #"{"a":1}"#),
        ])
    func removes(_ text: String, _ pointer: String, _ expected: String) throws {
        #expect(try edited(text, pointer, nil) == expected)
    }

    @Test("does not lead through texts and numbers, nor beyond a list", arguments: ["/a/b", "/l/7", "/l/x", "/l/01"])
    func leadsNowhere(_ pointer: String) {
        #expect(throws: JSONEdit.Failure.self) { try edited(#"{"a":"text","l":[1]}"#, pointer, "1") }
    }
}
