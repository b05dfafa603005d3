import JSON
import Testing

@Suite struct PointerTests {
    /// The example of RFC 6901, section 5.
    private static let document = """
        {"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\\\j":5,"k\\"l":6," ":7,"m~n":8,"01":[9]}
        """

    @Test(
        "A pointer leads where RFC 6901 says",
        arguments: [
            ("", nil), ("/foo/0", "bar"), ("/foo/1", "baz"), ("/", "0"), ("/a~1b", "1"), ("/c%d", "2"), ("/e^f", "3"),
            ("/g|h", "4"), ("/i\\j", "5"), ("/k\"l", "6"), ("/ ", "7"), ("/m~0n", "8"), ("/01/0", "9"),
        ] as [(String, String?)])
    func findsValues(pointer: String, expected: String?) throws {
        let tape = try JSONParser().parse(Array(Self.document.utf8))
        let found = try #require(tape.value(at: try JSONPointer(pointer)))
        #expect(tape.scalarText(found) == expected)
        #expect(try JSONPointer(pointer).description == pointer)
    }

    @Test(
        "A pointer to what is not there leads nowhere",
        arguments: [
            "/none", "/foo/2", "/foo/-", "/foo/00", "/foo/01", "/foo/-1", "/foo/+1", "/foo/0/0", "/foo/", "//x",
            "/foo/99999999999999999999", "/foo/\u{661}",
        ])
    func findsNothing(pointer: String) throws {
        let tape = try JSONParser().parse(Array(Self.document.utf8))
        #expect(tape.value(at: try JSONPointer(pointer)) == nil)
    }

    @Test("A pointer may begin at any value")
    func startsAnywhere() throws {
        let tape = try JSONParser().parse(Array("{\"a\":{\"b\":[1,2]}}".utf8))
        let start = try #require(tape.member(tape.root, "a"))
        #expect(tape.value(at: try JSONPointer("/b/1"), from: start).flatMap(tape.integer) == 2)
        #expect(tape.value(at: try JSONPointer(""), from: start) == start)
    }

    @Test("A text that is no pointer says what to write")
    func refusesOtherTexts() {
        #expect {
            try JSONPointer("visitor/id")
        } throws: { error in
            "\(error)" == "a JSON pointer begins with `/`: write `/visitor/id`"
        }
        for text in ["/a~", "/a~2", "/~/b"] {
            #expect {
                try JSONPointer(text)
            } throws: { error in
                (error as? JSONPointerError)?.code == .invalidEscape
            }
        }
    }
}
