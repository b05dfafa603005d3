import Testing

@testable import Rules

@Suite("Values")
struct ValueTests {
    private func number(_ text: String) -> OrderedNumber? { OrderedNumber(Array(text.utf8)) }

    @Test("numbers are ordered by their value, however they are written and however long")
    func order() throws {
        let ascending = [
            "-999999999999999999999999999", "-1e26", "-2", "-1.0000000001", "-1", "-0.5", "-1e-400", "0",
            "1e-99999999999",
            "1e-10", "0.000000001", "0.0000000015", "0.000000002", "0.1", "1", "1.000000000000000000001", "1.000000001",
            "2", "10", "1e26", "999999999999999999999999999", "999999999999999999999999999.5",
        ]
        let numbers = try ascending.map { try #require(number($0), "\($0)") }
        for (one, other) in zip(numbers, numbers.dropFirst()) { #expect(one <= other) }
        // Two between the same billionths are not told apart: no bound lies between them.
        #expect(number("1e-10") == number("1e-99999999999"))
        #expect(try #require(number("-1e-400")) < (try #require(number("0"))))
        #expect(number("7") == number("70e-1") && number("-0") == number("0.0"))
    }

    @Test(
        "what is no number, or too large to hold, is none",
        arguments: [
            "", "07", "+7", "7.", ".7", "1e", "1e+", "0x7", "7 ", "NaN", "1e27", "-1e27", "1e99999999999",
            "1000000000000000000000000000",
        ])
    func noNumber(_ text: String) {
        #expect(number(text) == nil)
    }

    private func holds(_ relation: TextRelation, _ pattern: String, _ text: String) -> Bool {
        let bytes = Array(pattern.utf8)
        var folded: [UInt8] = []
        TextFolding.fold(bytes, bytes.indices, into: &folded)
        return relation.holds(TextPattern(text: pattern, folded: folded), of: TextFolding.key(text))
    }

    @Test(
        "like is over the whole text: * any run, ? one character of any length",
        arguments: [
            ("*", "", true), ("*", "x", true), ("?", "", false), ("?", "é", true), ("?", "日", true), ("?", "😀", true),
            ("??", "😀", false), ("a*", "Apple", true), ("a*", "an", true), ("a*", "ban", false), ("*a", "Anna", true),
            ("v*123@*acme*", "v-99-123@mail.acme.org", true), ("v*123@*acme*", "v-99-12@mail.acme.org", false),
            ("a*b*c", "abbc", true), ("a*b*c", "acb", false), ("a?c", "aéc", true), ("a?c", "ac", false),
            ("*?", "", false), ("*?", "日", true), ("?*?", "日", false), ("?*?", "日本", true), ("**a**", "bab", true),
            ("É*", "école", true), ("a*a", "a", false), ("abc", " ABC ", true), ("abc", "abcd", false),
        ])
    func like(_ pattern: String, _ text: String, _ expected: Bool) {
        #expect(holds(.like, pattern, text) == expected)
    }

    @Test("a pattern longer than a machine word is like any other")
    func longPatterns() {
        for count in [62, 63, 64, 65, 127, 128, 129, 500] {
            let text = String(repeating: "ab", count: count)
            #expect(holds(.like, text, text))
            #expect(!holds(.like, text, text + "a"))
            #expect(holds(.like, "*" + text + "*", "x" + text + "y"))
            #expect(holds(.like, String(repeating: "?", count: 2 * count), text))
            #expect(holds(.contains, text, "aab" + text + "b"))
            #expect(!holds(.contains, text, String(text.dropLast()) + "c" + text.dropFirst()))
        }
    }

    @Test(
        "texts begin, end and contain without regard to case; a pattern keeps its spaces",
        arguments: [
            (TextRelation.startsWith, "AC", "acme", true), (.startsWith, "cm", "acme", false),
            (.startsWith, "acme", "ac", false), (.endsWith, "ME", " acme ", true), (.endsWith, "me", "meadow", false),
            (.contains, "CM", "acme", true), (.contains, "ac me", "acme", false), (.contains, "aab", "aaab", true),
            (.contains, "straẞe", "Straße", true), (.startsWith, "ac ", "ac me", true),
            (.endsWith, " ", "acme ", false),
        ])
    func texts(_ relation: TextRelation, _ pattern: String, _ text: String, _ expected: Bool) {
        #expect(holds(relation, pattern, text) == expected)
    }

    @Test(
        "a domain is what follows the last @; with a dot in front it is every one below",
        arguments: [
            ("acme.com", "eve@ACME.com", true), ("acme.com", "eve@notacme.com", false),
            ("acme.com", "eve@mail.acme.com", false), (".acme.com", "eve@mail.acme.com", true),
            (".acme.com", "eve@a.b.acme.com", true), (".acme.com", "eve@acme.com", false),
            (".acme.com", "eve@notacme.com", false), ("acme.com", "acme.com", false), ("acme.com", "", false),
            ("acme.com", "eve@evil.com@acme.com", true), ("acme.com", "eve@acme.com@evil.com", false),
        ])
    func domains(_ pattern: String, _ text: String, _ expected: Bool) {
        #expect(holds(.domain, pattern, text) == expected)
    }

    @Test(
        "a regular expression is found anywhere, with case, in any text",
        arguments: [
            ("b+c", "abbc", true), ("^b", "abc", false), ("B", "abc", false), ("(?i)B", "abc", true), ("", "", true),
            ("^.$", "日", true), ("a\u{0}b", "xa\u{0}b", true), ("\\bNDA\\b", "no NDA yet", true),
            ("\\pL{3}", "éàü", true),
        ])
    func expressions(_ pattern: String, _ text: String, _ expected: Bool) throws {
        #expect(try RegularExpression(pattern).matches(Array(text.utf8)) == expected)
    }

    @Test("patterns that make others slow are linear here, and their memory is bounded")
    func adversarial() throws {
        let text = [UInt8](repeating: UInt8(ascii: "a"), count: 64 << 10)
        for pattern in ["(a+)+$b", "(a|a)*b", "(.*a){20}b", "[ab]*a[ab]{14}$"] {
            #expect(try !RegularExpression(pattern).matches(text + [UInt8(ascii: "c")]), "\(pattern)")
        }
        #expect(!GlobPattern(Array("*a*a*a*a*a*a*a*b".utf8)).matches(text))
    }

    @Test(
        "a pattern that does not compile says what is wrong and where",
        arguments: [
            ("a)b", 1, "unexpected )"), ("[*]|*", 4, "no argument for repetition operator"),
            ("é**", 1, "bad repetition operator"),
            ("(a)(b", 3, "missing )"), ("\\Q(\\E(", 5, "missing )"), ("x[a", 1, "missing ]"), ("x\\", 1, "trailing \\"),
            ("日[b-a]", 2, "invalid character class range"), ("a{2000}", 1, "invalid repetition size"),
            ("x(?=y)", 1, "RE2 does not look ahead or behind; ask for what the text must not have with `not:`"),
            ("(a)\\1", 3, "RE2 does not refer back to a group"),
        ])
    func invalid(_ pattern: String, _ offset: Int, _ message: String) {
        #expect(throws: RegularExpressionError(message: message, offset: offset)) { try RegularExpression(pattern) }
    }

    @Test("a pattern too large for its memory is refused")
    func tooLarge() {
        let error = #expect(throws: RegularExpressionError.self) { try RegularExpression("(((\\pL{10}){10}){10})") }
        #expect(error?.message == "the pattern is too large")
    }
}
