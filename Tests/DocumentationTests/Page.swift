import Foundation
import Testing

/// The project these tests lie in.
enum Project {
    static let folder = URL(filePath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    static func path(_ name: String) -> String { "\(folder)/\(name)" }

    static func text(_ name: String) throws -> String {
        try String(contentsOfFile: path(name), encoding: .utf8)
    }

    /// The Swift files below a folder, one after the other.
    static func sources(_ name: String) throws -> String {
        let files = try FileManager.default.subpathsOfDirectory(atPath: path(name)).filter { $0.hasSuffix(".swift") }
        return try files.sorted().map { try text("\(name)/\($0)") }.joined(separator: "\n")
    }
}

/// A Markdown page, taken apart as far as the tests need it.
struct Page: Sendable, CustomTestStringConvertible {
    /// A fenced block of code. What follows its language says what a test does with it.
    struct Block: Sendable {
        var language: String
        var words: [String]
        var text: String
        var line: Int

        func has(_ word: String) -> Bool { words.contains(word) }

        /// What follows `name=`.
        func value(_ name: String) -> String? {
            words.first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) }
        }
    }

    struct Table: Sendable {
        /// The heading it stands below.
        var heading: String
        var header: [String]
        var rows: [[String]]

        func column(_ name: String) -> Int? { header.firstIndex(of: name) }
    }

    let name: String
    private(set) var blocks: [Block] = []
    private(set) var tables: [Table] = []
    private(set) var headings: [String] = []
    private(set) var links: [(target: String, line: Int)] = []

    var testDescription: String { name }

    static let names = ["README.md"] + documents

    private static let documents: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: Project.path("docs"))) ?? []
        return files.filter { $0.hasSuffix(".md") }.sorted().map { "docs/" + $0 }
    }()

    init(_ name: String) throws {
        self.name = name
        let lines = try Project.text(name).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        var heading = ""
        var number = 0
        while number < lines.count {
            let line = lines[number]
            number += 1
            if line.hasPrefix("```") {
                let words = line.dropFirst(3).split(separator: " ").map(String.init)
                let end = lines[number...].firstIndex(of: "```") ?? lines.count
                blocks.append(
                    Block(
                        language: words.first ?? "", words: Array(words.dropFirst()),
                        text: lines[number..<end].map { $0 + "\n" }.joined(), line: number))
                number = end + 1
                continue
            }
            for target in Self.links(in: line) { links.append((target, number)) }
            if line.hasPrefix("#") {
                heading = line.drop { $0 == "#" }.trimmingCharacters(in: .whitespaces)
                headings.append(heading)
            } else if line.hasPrefix("|"), number < lines.count, lines[number].hasPrefix("|---") {
                let rows = lines[(number + 1)...].prefix { $0.hasPrefix("|") }
                tables.append(Table(heading: heading, header: Self.cells(line), rows: rows.map(Self.cells)))
                for row in rows { for target in Self.links(in: row) { links.append((target, number)) } }
                number += 1 + rows.count
            }
        }
    }

    /// The table below a heading that has these columns.
    func table(_ heading: String, _ columns: String...) throws -> Table {
        let found = tables.first { table in
            table.heading == heading && columns.allSatisfy { table.column($0) != nil }
        }
        return try #require(found, "\(name) has no table of \(columns) below `\(heading)`")
    }

    /// As GitHub makes them.
    var anchors: Set<String> {
        Set(
            headings.map { heading in
                String(
                    heading.lowercased().compactMap { character in
                        character == " "
                            ? "-"
                            : character.isLetter || character.isNumber || "-_".contains(character) ? character : nil
                    })
            })
    }

    private static func cells(_ line: String) -> [String] {
        let escaped = line.replacing("\\|", with: "\u{1}")
        return escaped.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast().map {
            $0.trimmingCharacters(in: .whitespaces).replacing("\u{1}", with: "|")
        }
    }

    private static func links(in line: String) -> [String] {
        line.replacing(/`[^`]*`/, with: "x").matches(of: /\]\(([^)\s]+)\)/).map { String($0.1) }
    }
}

extension String {
    /// What stands between backticks.
    var codes: [String] { matches(of: /`([^`]*)`/).map { String($0.1) } }
    /// The first of them, or the text itself.
    var code: String { codes.first ?? self }
}
