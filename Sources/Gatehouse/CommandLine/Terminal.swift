internal import Configuration
internal import Glibc

/// Standard output and standard error, and what a terminal there can show.
enum Terminal {
    enum Colour: String {
        case bold = "1"
        case dim = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
        case blue = "34"
        case magenta = "35"
        case cyan = "36"
    }

    /// Colours only on a terminal, and never with NO_COLOR (no-color.org).
    static let hasColour =
        isatty(STDOUT_FILENO) == 1 && (ConfigurationLoader.processEnvironment("NO_COLOR") ?? "").isEmpty

    static func paint(_ text: String, _ colours: Colour...) -> String {
        guard hasColour, !colours.isEmpty else { return text }
        return "\u{1b}[\(colours.map(\.rawValue).joined(separator: ";"))m\(text)\u{1b}[0m"
    }

    static func print(_ line: String) { write(Array((line + "\n").utf8), to: STDOUT_FILENO) }
    static func print(bytes: [UInt8]) { write(bytes + [0x0A], to: STDOUT_FILENO) }
    static func complain(_ line: String) { write(Array((line + "\n").utf8), to: STDERR_FILENO) }

    /// A reader that went away (`| head`) ends the program quietly, as it does for every tool of the system.
    static func write(_ bytes: [UInt8], to descriptor: Int32) {
        unsafe bytes.withUnsafeBytes { buffer in
            var position = 0
            while position < buffer.count {
                let count = unsafe Glibc.write(descriptor, buffer.baseAddress! + position, buffer.count - position)
                if count < 0 {
                    if errno == EINTR { continue }
                    exit(descriptor == STDOUT_FILENO && errno == EPIPE ? 0 : ExitCode.failed)
                }
                position += count
            }
        }
    }

    /// Text that came from outside, made harmless for a terminal: control characters and direction marks are shown as
    /// codes.
    static func harmless(_ text: some StringProtocol) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Columns, each as wide as its widest cell.
    static func table(_ rows: [[String]]) -> [String] {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { column, cell in
                column == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count)
            }.joined(separator: "  ")
        }
    }
}
