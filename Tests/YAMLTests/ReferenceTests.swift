import Foundation
import Testing

@testable import YAML

@Suite("References in scalars")
struct ReferenceTests {
    private struct Unreadable: Error, CustomStringConvertible {
        var description: String { "No such file or directory" }
    }

    private func resolved(
        _ text: String, unset: Diagnostic.Severity = .error
    ) throws -> (node: YAMLNode, diagnostics: Diagnostics) {
        var diagnostics = Diagnostics()
        let files = ["/run/a": "from-a\n", "/run/b": "two\r\n\r\n", "/run/empty": ""]
        let node = resolveReferences(
            try parsed(text), environment: { ["NAME": "hunter2", "ON": "true", "PORT": "8080"][$0] },
            readFile: { path in
                guard let text = files[path] else { throw Unreadable() }
                return text
            }, unset: unset, &diagnostics)
        return (node, diagnostics)
    }

    @Test(
        "variables and files stand inside scalars, also several in one",
        arguments: [
            ("${env:NAME}", "hunter2"), ("\"x ${env:NAME}-${env:PORT}.\"", "x hunter2-8080."),
            ("${file:/run/a}", "from-a"),
            ("${file:/run/b}", "two\r\n"), ("\"${file:/run/empty}\"", ""), ("$${env:NAME}", "${env:NAME}"),
            ("$5 and $", "$5 and $"), ("${visitor.name}", "${visitor.name}"), ("$$", "$$"),
        ])
    func values(_ text: String, _ expected: String) throws {
        let (node, diagnostics) = try resolved("a: \(text)\n")
        #expect(node["a"]?.scalar?.text == expected)
        #expect(diagnostics.isEmpty)
    }

    @Test("what was resolved is never shown, only the reference")
    func neverShown() throws {
        let (node, _) = try resolved("a: pre-${env:NAME}\nb: plain\n")
        #expect(node["a"]?.scalar?.displayText == "pre-${env:NAME}")
        #expect(node["b"]?.scalar?.reference == nil)
        var diagnostics = Diagnostics()
        for entry in try #require(node.entries?.prefix(1)) {
            _ = entry.value.duration(&diagnostics)
            _ = entry.value.size(&diagnostics)
            _ = entry.value.integer(in: 0...1, &diagnostics)
            _ = entry.value.boolean(&diagnostics)
            _ = entry.value.choice(of: ["other"], &diagnostics)
        }
        #expect(diagnostics.all.count == 5)
        #expect(!diagnostics.description.contains("hunter"), "\(diagnostics)")
    }

    @Test("a resolved value is read like one written, quoted or not")
    func typed() throws {
        let (node, _) = try resolved("a: \"${env:ON}\"\nb: ${env:PORT}\n")
        var diagnostics = Diagnostics()
        #expect(node["a"]?.boolean(&diagnostics) == true)
        #expect(node["b"]?.integer(in: 1...65535, &diagnostics) == 8080)
        #expect(diagnostics.isEmpty)
    }

    @Test("text that comes from a variable is not resolved again")
    func once() throws {
        var diagnostics = Diagnostics()
        let node = resolveReferences(
            try parsed("a: ${env:X}"), environment: { _ in "${env:Y}" }, readFile: { _ in "" }, unset: .error,
            &diagnostics)
        #expect(node["a"]?.scalar?.text == "${env:Y}")
    }

    @Test("references are found everywhere but in keys")
    func everywhere() throws {
        let (node, _) = try resolved("a: [{b: '${env:PORT}'}]\n${env:NAME}: x\n")
        #expect(node["a"]?.elements?[0]["b"]?.scalar?.text == "8080")
        #expect(node["${env:NAME}"] != nil)
    }

    @Test(
        "what cannot be resolved is told where it stands",
        arguments: [
            ("x ${env:NONE}", "a.yaml:1:6: the environment variable NONE is not set"),
            ("\"x ${env:NONE}\"", "a.yaml:1:4: the environment variable NONE is not set"),
            ("${file:/no}", "a.yaml:1:4: cannot read the file of `${file:/no}`: No such file or directory"),
            (
                "${evn:NAME}",
                "a.yaml:1:4: unknown reference `${evn:NAME}`; there are ${env:NAME} and ${file:PATH} (did you mean ${env:NAME}?)"
            ),
            ("${HOME}", "a.yaml:1:4: `${HOME}` does not say what it is (did you mean ${env:HOME}?)"),
            ("${env:NAME", "a.yaml:1:4: `${` is never closed; add `}`, or write `$${` for the two characters"),
            ("${env:}", "a.yaml:1:4: `${env:}` needs a variable's name: ${env:NAME}"),
            ("${file:}", "a.yaml:1:4: `${file:}` needs a path: ${file:/run/secrets/name}"),
        ])
    func wrong(_ text: String, _ expected: String) throws {
        #expect(try resolved("a: \(text)\n").diagnostics.description == expected)
    }

    @Test("where values are not needed an unset one is a warning, and the value is known to be missing")
    func warning() throws {
        let (node, diagnostics) = try resolved("a: ${env:NONE}\n", unset: .warning)
        #expect(diagnostics.description == "a.yaml:1:4: warning: the environment variable NONE is not set")
        let value = try #require(node["a"])
        #expect(value.scalar?.isResolved == false && value.scalar?.text == "${env:NONE}")
        var more = Diagnostics()
        #expect(value.integer(in: 0...1, &more) == nil && value.duration(&more) == nil && more.isEmpty)
    }

    @Test("a file is read whole, up to a limit, and only when it is a regular one")
    func files() throws {
        let path = NSTemporaryDirectory() + "gatehouse-yaml-\(UUID().uuidString)"
        try Data("hello\n".utf8).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(try readFile(path, maximumBytes: 6) == Array("hello\n".utf8))
        #expect(throws: FileReadingError.self) { try readFile(path, maximumBytes: 5) }
        #expect(throws: FileReadingError.self) { try readFile("/tmp", maximumBytes: 5) }
        #expect(throws: FileReadingError.self) { try readFile("/dev/zero", maximumBytes: 5) }
        #expect(throws: FileReadingError.self) { try readFile(path + "-none", maximumBytes: 5) }
    }
}
