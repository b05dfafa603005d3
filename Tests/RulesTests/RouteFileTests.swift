import Foundation
import Testing
import YAML

@testable import Rules

@Suite("Files and folders of routes")
struct RouteFileTests {
    private func load(_ paths: [String]) -> (files: RuleSets, diagnostics: Diagnostics) {
        var diagnostics = Diagnostics()
        let place = SourceLocation(file: "gatehouse.yaml", line: 9, column: 9)
        let loader = RuleSetLoader(environment: environment, teams: [], nowMs: 0, keptVersion: { _ in nil })
        let sets = loader.load(paths: paths, at: place, &diagnostics)
        return (sets, diagnostics)
    }

    private func one(_ name: String) -> String { "routes: [{name: \(name), to: siem}]\n" }

    @Test("a folder is read recursively, in the order of paths, without hidden and other files")
    func folder() throws {
        let texts = [
            "b.yaml": one("b"), "a/z.yml": one("az"), "a/b/c.yaml": one("abc"), "a.yaml": one("a"),
            ".hidden.yaml": "x: [", ".git/x.yaml": "x: [",
            "notes.txt": "x: [", "empty.yaml": "# nothing yet\n",
        ]
        try withFolder(texts) { folder in
            let (files, diagnostics) = load([folder])
            #expect(diagnostics.isEmpty, "\(diagnostics)")
            #expect(files.plan.routes.map(\.name) == ["a", "abc", "az", "b"])
            #expect(
                RuleWatch(main: [folder]).files.map { $0.dropFirst(folder.count) } == [
                    "/a.yaml", "/a/b/c.yaml", "/a/z.yml", "/b.yaml", "/empty.yaml",
                ])
            #expect(load([folder + "/"]).files.plan.hash == files.plan.hash)
        }
    }

    @Test("a file named twice, or by two ways, is read once")
    func twice() throws {
        try withFolder(["a.yaml": one("a"), "b.yaml": one("b")]) { folder in
            try FileManager.default.createSymbolicLink(
                atPath: "\(folder)/c.yaml", withDestinationPath: "\(folder)/a.yaml")
            let (files, diagnostics) = load([
                "\(folder)/b.yaml", folder, "\(folder)/../\((folder as NSString).lastPathComponent)/b.yaml",
            ])
            #expect(diagnostics.isEmpty, "\(diagnostics)")
            #expect(files.plan.routes.map(\.name) == ["b", "a"])
        }
    }

    @Test("a folder that leads into itself does not go on for ever")
    func loop() throws {
        try withFolder(["a.yaml": one("a")]) { folder in
            try FileManager.default.createSymbolicLink(atPath: "\(folder)/again", withDestinationPath: folder)
            let (_, diagnostics) = load([folder])
            #expect(diagnostics.hasErrors)
            #expect(diagnostics.description.contains("cannot read \(folder.prefix(20))"))
        }
    }

    @Test("a name used in another file is told with its place, and nothing is planned")
    func duplicateAcrossFiles() throws {
        try withFolder(["a.yaml": one("x"), "b.yaml": "\n" + one("x")]) { folder in
            let (files, diagnostics) = load([folder])
            #expect(
                diagnostics.description
                    == "\(folder)/b.yaml:2:17: a route called `x` is already at \(folder)/a.yaml:1:17")
            #expect(files.plan.routes.isEmpty)
        }
    }

    @Test("what cannot be read is told where the configuration names it; a folder of nothing is a warning")
    func unreadable() throws {
        try withFolder([:]) { folder in
            let (files, diagnostics) = load(["\(folder)/none.yaml", folder])
            #expect(
                diagnostics.description == """
                    gatehouse.yaml:9:9: cannot read \(displayable("\(folder)/none.yaml")): No such file or directory
                    gatehouse.yaml:9:9: warning: \(displayable(folder)) holds no *.yaml file
                    """)
            #expect(files.plan.routes.isEmpty)
        }
    }
}
