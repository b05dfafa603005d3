/// The lines of a file, for showing where something is wrong.
struct SourceExcerpts {
    private let lines: [Substring.UnicodeScalarView]

    /// Lines longer than this are cut around the column shown.
    private static let width = 120

    init(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self).unicodeScalars
        var lines: [Substring.UnicodeScalarView] = []
        var start = text.startIndex
        var position = start
        while position < text.endIndex {
            let scalar = text[position]
            var next = text.index(after: position)
            if Self.isBreak(scalar) {
                lines.append(text[start..<position])
                if scalar == "\r", next < text.endIndex, text[next] == "\n" { next = text.index(after: next) }
                start = next
            }
            position = next
        }
        lines.append(text[start...])
        self.lines = lines
    }

    /// The line breaks of YAML 1.1, which libyaml counts by.
    static func isBreak(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}": true
        default: false
        }
    }

    /// A line by its number from 0; empty when there is none.
    func line(_ number: Int) -> [Unicode.Scalar] {
        lines.indices.contains(number) ? Array(lines[number]) : []
    }

    /// The source line with its number, and a caret below the column; empty when there is nothing to show, or what is not
    /// to be shown.
    func excerpt(at location: SourceLocation) -> [String] {
        guard lines.indices.contains(location.line - 1) else { return [] }
        var line = Array(lines[location.line - 1])
        if line.first == "\u{FEFF}" { line.removeFirst() }
        guard !line.isEmpty, !SensitiveLine.isOne(String(String.UnicodeScalarView(line))) else { return [] }
        let column = min(max(location.column - 1, 0), line.count)

        var before = ""
        var first = 0
        if column > Self.width - 20 {
            first = column - (Self.width - 40)
            before = "…"
        }
        let last = min(line.count, first + Self.width)
        let shown = before + Self.printable(line[first..<last]) + (last < line.count ? "…" : "")
        // Tabs are kept in the padding, so that the caret stands below its character whatever a tab's width is.
        let padding = before.map { _ in " " }.joined() + Self.padding(line[first..<column])
        let number = String(location.line)
        let margin = String(repeating: " ", count: number.count)
        return ["  \(number) | \(shown)", "  \(margin) | \(padding)^"]
    }

    private static func printable(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var text = ""
        for scalar in scalars { text.unicodeScalars.append(isShown(scalar) ? scalar : "\u{FFFD}") }
        return text
    }

    private static func padding(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var text = ""
        for scalar in scalars where !isZeroWidth(scalar) {
            text += scalar == "\t" ? "\t" : isWide(scalar) ? "  " : " "
        }
        return text
    }

    /// Controls and directional overrides could rewrite the terminal's line.
    private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
        if scalar == "\t" { return true }
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .surrogate: return false
        case .format: return !scalar.properties.isBidiControl
        default: return true
        }
    }

    private static func isZeroWidth(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: true
        case .format: !scalar.properties.isBidiControl
        default: false
        }
    }

    private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
            0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF,
            0x20000...0x3FFFD:
            true
        default: false
        }
    }
}
