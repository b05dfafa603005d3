/// One log line, before it is written.
package struct LogLine: Sendable {
    /// RFC 3339, UTC, milliseconds.
    package var time: String
    package var level: LogLevel
    /// What happened, as a stable name for machines, such as `target_disabled`.
    package var event: String
    /// The same as a sentence for people.
    package var message: String
    package var fields: [(String, LogValue)]

    /// One JSON object.
    package var json: String {
        var line = "{\"time\":\(Self.quoted(time)),\"level\":\"\(level.rawValue)\",\"event\":\(Self.quoted(event))"
        line += ",\"message\":\(Self.quoted(message))"
        for (key, value) in fields { line += ",\(Self.quoted(key)):\(value.json)" }
        return line + "}"
    }

    /// For people.
    package var text: String {
        var line = "\(time) \(level.rawValue.uppercased()) \(Self.singleLine(message))"
        for (key, value) in fields { line += " \(key)=\(value.text)" }
        return line
    }

    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{0}"..."\u{1f}", "\u{7f}"..."\u{9f}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// A message may quote a file's text: no control character reaches a terminal.
    private static func singleLine(_ text: String) -> String {
        String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
    }
}
