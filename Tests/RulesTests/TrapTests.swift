import Testing

@testable import Rules

/// What YAML does to people, with the whole text they are told.
@Suite("YAML traps")
struct TrapTests {
    @Test("7: texts stay as written where the field is one: No, 04567, 22:00, 1e3 and on")
    func asWritten() throws {
        for (written, text) in [("No", "No"), ("04567", "04567"), ("22:00", "22:00"), ("1e3", "1e3"), ("on", "on")] {
            #expect(phrase("{group: \(written)}") == "group is \(text)")
            #expect(try takes("{group: \(written)}", #"{"group": {"name": "\#(text)"}}"#))
        }
        #expect(try !takes("{site: 04567}", #"{"site": {"id": "4567"}}"#))
        #expect(phrase("{time: {within: {from: 22:00, to: 06:00}}}") == "time is within 22:00 to 06:00")
    }

    @Test("7: where a boolean is wanted, No and yes are errors that say what to write")
    func booleans() {
        #expect(
            rendered("routes: [{name: r, to: siem, when: {visitor: {pre_registered: No}}}]\n") == """
                r.yaml:1:63: write true or false, not `No` (did you mean false?)
                  1 | routes: [{name: r, to: siem, when: {visitor: {pre_registered: No}}}]
                    |                                                               ^
                """)
    }

    @Test("7: where a number is wanted, 04567 is an error")
    func octal() {
        #expect(
            rendered("routes: [{name: r, to: siem, when: {face: {attempts: 07}}}]\n") == """
                r.yaml:1:54: face.attempts is a number such as 3, not `07`
                  1 | routes: [{name: r, to: siem, when: {face: {attempts: 07}}}]
                    |                                                      ^
                """)
    }

    @Test("7: an unquoted @ is an error that says to quote")
    func at() {
        let text = """
            routes:
              - name: r
                to: siem
                when: {visitor: {email: {ends_with: @acme.com}}}

            """
        #expect(
            rendered(text) == """
                r.yaml:4:41: a value cannot begin with `@`; put the value in quotes
                  4 |     when: {visitor: {email: {ends_with: @acme.com}}}
                    |                                         ^
                """)
    }

    @Test("a tab that indents is an error")
    func tab() {
        #expect(
            rendered("routes:\n\t- name: r\n") == """
                r.yaml:2:1: a tab cannot indent; use spaces
                  2 | \t- name: r
                    | ^
                """)
    }

    @Test("8: a duplicate key is an error that names the first")
    func duplicateKey() {
        let text = """
            routes:
              - name: r
                to: siem
                when:
                  group: a
                  group: b

            """
        #expect(
            rendered(text) == """
                r.yaml:6:7: duplicate key `group`, first used on line 5; remove one of the two
                  6 |       group: b
                    |       ^
                """)
    }

    @Test("anchors, aliases and merge keys are errors")
    func anchors() {
        let text = """
            routes:
              - &a {name: a, to: siem}
              - {<<: x, name: b, to: siem}
              - *a

            """
        #expect(
            rendered(text) == """
                r.yaml:2:5: anchors (`&a`) are not used here; remove it, or quote the text that begins with &
                  2 |   - &a {name: a, to: siem}
                    |     ^
                r.yaml:3:6: merge keys (`<<`) are not used here; write the keys out
                  3 |   - {<<: x, name: b, to: siem}
                    |      ^
                r.yaml:4:5: aliases (`*a`) are not used here; write the value out, or quote it: "*a"
                  4 |   - *a
                    |     ^
                """)
    }

    @Test("an unquoted * is told to be quoted")
    func star() {
        #expect(
            rendered("routes: [{name: r, to: siem, when: {visitor: {name: {like: *acme}}}}]\n") == """
                r.yaml:1:60: aliases (`*acme`) are not used here; write the value out, or quote it: "*acme"
                  1 | routes: [{name: r, to: siem, when: {visitor: {name: {like: *acme}}}}]
                    |                                                            ^
                """)
    }

    @Test("a second document is an error")
    func documents() {
        #expect(
            rendered("routes: []\n---\nroutes: []\n") == """
                r.yaml:2:1: a file holds one document; remove this `---`, or use a second file
                  2 | ---
                    | ^
                """)
    }

    @Test(
        "7: an unquoted null in a condition is an error that says what to write instead",
        arguments: [
            ("", "`group` has no value; for a field without one write {is: blank}, for an empty text \"\""),
            ("~", "null is no value to compare with; for the state write {is: \"null\"}, for the word \"~\""),
            ("null", "null is no value to compare with; for the state write {is: \"null\"}, for the word \"null\""),
            ("Null", "null is no value to compare with; for the state write {is: \"null\"}, for the word \"Null\""),
        ])
    func nulls(_ written: String, _ message: String) {
        let line = "    when: {group: \(written)}"
        #expect(
            rendered("routes:\n  - name: r\n    to: siem\n\(line)\n") == """
                r.yaml:4:19: \(message)
                  4 | \(line)
                    | \(String(repeating: " ", count: 18))^
                """)
        if !written.isEmpty { #expect(phrase("{group: \"\(written)\"}") == "group is \(written)") }
    }

    @Test("a colon followed by a space inside a text is an error that says to quote")
    func colon() {
        #expect(
            rendered("routes:\n  - name: a: b\n") == """
                r.yaml:2:12: `: ` begins a mapping, which cannot stand here; put the value in quotes, or check the indentation
                  2 |   - name: a: b
                    |            ^
                """)
    }

    @Test("a reference is no reference in a file of routes: it is text")
    func references() {
        #expect(phrase("{group: \"${env:HOME}\"}") == "group is ${env:HOME}")
    }
}
