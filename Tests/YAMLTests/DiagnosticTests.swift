import Testing

@testable import YAML

@Suite("Diagnostics")
struct DiagnosticTests {
    private func diagnostics(_ places: [(String, Int, Int)]) -> Diagnostics {
        var diagnostics = Diagnostics()
        for (file, line, column) in places {
            diagnostics.error(at: SourceLocation(file: file, line: line, column: column), "wrong")
        }
        return diagnostics
    }

    @Test("a diagnostic is one line: file, line, column, message and the nearest name")
    func oneLine() {
        let place = SourceLocation(file: "a.yaml", line: 3, column: 7)
        #expect(
            Diagnostic(location: place, message: "unknown key `vendr`", suggestion: "vendor").description
                == "a.yaml:3:7: unknown key `vendr` (did you mean vendor?)")
        #expect(
            Diagnostic(severity: .warning, location: place, message: "never matches").description
                == "a.yaml:3:7: warning: never matches")
    }

    @Test("they are told by file as met, then by line and column")
    func order() {
        let found = diagnostics([("b", 2, 1), ("a", 9, 1), ("b", 1, 5), ("b", 1, 2), ("a", 1, 1)])
        #expect(found.sorted.map(\.location.description) == ["b:1:2", "b:1:5", "b:2:1", "a:1:1", "a:9:1"])
    }

    @Test("a caret stands below the column, behind tabs, wide and combining characters")
    func caret() {
        let source = "name: x\n\té: 日本 y\ne\u{301}a: b\n"
        let found = diagnostics([("a", 1, 7), ("a", 2, 8), ("a", 3, 5)])
        #expect(
            found.rendered { _ in Array(source.utf8) } == """
                a:1:7: wrong
                  1 | name: x
                    |       ^
                a:2:8: wrong
                  2 | \té: 日本 y
                    | \t        ^
                a:3:5: wrong
                  3 | e\u{301}a: b
                    |    ^
                """)
    }

    @Test("long lines are cut around the column")
    func longLines() throws {
        let source = String(repeating: "x", count: 5000)
        let lines = diagnostics([("a", 1, 4000)]).rendered { _ in Array(source.utf8) }.split(separator: "\n")
        #expect(lines.count == 3 && lines.allSatisfy { $0.count < 140 })
        let caret = try #require(lines[2].firstIndex(of: "^"))
        #expect(
            lines[1][
                lines[1].index(lines[1].startIndex, offsetBy: lines[2].distance(from: lines[2].startIndex, to: caret))]
                == "x")
    }

    @Test(
        "a line that may hold a secret is not shown, although its key is misspelt",
        arguments: [
            "sources: {a: {secrets: [hunter2]}}", "tokn: hunter2", "auth: {basic: {user: a, pasword: hunter2}}",
            "client_secrt: hunter2", "properties: {sasl.pasword: hunter2}", "auth: {bearer: {x: hunter2}}",
            "url: https://us:hunter2@e.example/x y", "url: \"https://e.example/?key=hunter2&x={visitor.nme}\"",
            "hash: {key: hunter2, fields: [visitor.email]}", "  key: 'hunter2'", "webhook_url: hooks.example/hunter2",
        ])
    func notShown(line: String) {
        #expect(diagnostics([("a", 1, 3)]).rendered { _ in Array(line.utf8) } == "a:1:3: wrong")
    }

    @Test(
        "a line with nothing secret is shown",
        arguments: [
            "url: https://e.example/hook", "key: \"{visitor.email|lower}\"", "when: {site: 4567, event: visitor.*}",
            "to: [siem, crm]", "vendor: signinap", "address: tls://siem.example:6514", "format: ceff",
        ])
    func shown(line: String) {
        #expect(diagnostics([("a", 1, 1)]).rendered { _ in Array(line.utf8) }.contains(line))
    }

    @Test("a place outside the file, or in a file that is not there, is shown no line")
    func nowhere() {
        #expect(diagnostics([("a", 99, 3)]).rendered { _ in Array("a: b\n".utf8) } == "a:99:3: wrong")
        #expect(diagnostics([("a", 1, 1)]).rendered { _ in nil } == "a:1:1: wrong")
    }

    @Test("controls and directional overrides of the source do not reach the terminal")
    func controls() {
        let rendered = diagnostics([("a", 1, 1)]).rendered { _ in Array("x\u{1B}[31m\u{202E}y".utf8) }
        #expect(!rendered.unicodeScalars.contains("\u{1B}") && !rendered.unicodeScalars.contains("\u{202E}"))
        #expect(displayable("\u{1B}\u{202E}\n\u{2028}") == "\\u{1b}\\u{202e}\\n\\u{2028}")
    }

    @Test("beyond the limit they are counted, and an error among those still counts")
    func limit() {
        var found = Diagnostics()
        let place = SourceLocation(file: "a")
        for _ in 0..<Diagnostics.limit { found.warning(at: place, "w") }
        #expect(!found.hasErrors)
        found.error(at: place, "e")
        #expect(found.hasErrors && found.suppressed == 1 && found.all.count == Diagnostics.limit)
        #expect(found.description.hasSuffix("\nand 1 more; mend the first ones and look again"))
    }

    @Test(
        "the nearest name is found despite case, hyphens, swaps and slips, and none is offered when none is near",
        arguments: [
            ("vendr", "vendor"), ("Vendor", "vendor"), ("sorce", "source"), ("prregistered", "pre_registered"),
            ("pre-registered", "pre_registered"), ("PreRegistered", "pre_registered"), ("gruop", "group"),
            ("signin", "visitor.signin"), ("visitor.singin", "visitor.signin"), ("emial", "email"), ("banana", nil),
            ("x", nil), ("", nil), ("vendor", nil), ("visitor", nil),
        ] as [(String, String?)])
    func nearestName(_ name: String, _ expected: String?) {
        let names = ["vendor", "source", "pre_registered", "group", "email", "visitor.signin", "id"]
        #expect(nearest(name, among: names) == expected)
    }

    @Test("the nearest of several wins, the first of equals")
    func nearestOfSeveral() {
        #expect(nearest("visitor.signint", among: ["visitor.signout", "visitor.signin"]) == "visitor.signin")
        #expect(nearest("hosts", among: ["hosta", "hostb"]) == "hosta")
        #expect(nearest(String(repeating: "a", count: 100_000), among: ["a"]) == nil)
    }
}
