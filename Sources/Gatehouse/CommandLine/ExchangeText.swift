internal import JSON

/// What a target was sent and what came back, for people.
enum ExchangeText {
    /// - Parameter report: the JSON of a target's test.
    static func show(_ report: JSONTape) {
        let name = Terminal.paint(Terminal.harmless(text(report, "/target")), .bold)
        let duration = "\(text(report, "/duration_ms")) ms"
        if report.value(at: pointer("/delivered")).flatMap({ report.bool($0) }) == true {
            let status = text(report, "/status")
            Terminal.print("\(name) took the sample" + (status.isEmpty ? "" : ": \(status)") + ", after \(duration)")
        } else {
            Terminal.print(
                "\(name) did not take the sample: \(Terminal.harmless(text(report, "/message"))) "
                    + "(\(Terminal.harmless(text(report, "/reason")))), after \(duration)")
            Terminal.print(Terminal.harmless(text(report, "/advice")))
        }
        if let token = object(report, "/token") { show(report, token: token) }
        if let sent = object(report, "/request") { show(report, sent: sent) }
        if let answer = object(report, "/answer") {
            Terminal.print("")
            line("<", text(report, "/status"))
            show(report, answer, "<")
            if report.value(at: pointer("/cut"), from: answer).flatMap({ report.bool($0) }) == true {
                Terminal.print("  … (only its beginning is kept)")
            }
        }
    }

    private static func show(_ report: JSONTape, sent: JSONIndex) {
        let method = text(report, "/method", from: sent)
        Terminal.print("")
        line(">", (method.isEmpty ? "" : method + " ") + text(report, "/destination", from: sent))
        show(report, sent, ">")
    }

    /// What the token endpoint was asked and said, perhaps some time before.
    private static func show(_ report: JSONTape, token: JSONIndex) {
        guard let request = report.value(at: pointer("/request"), from: token) else { return }
        show(report, sent: request)
        Terminal.print("")
        let status = text(report, "/status", from: token)
        line("<", "\(status.isEmpty ? "no answer" : status), \(text(report, "/age_seconds", from: token)) s ago")
        if let answer = report.value(at: pointer("/answer"), from: token) {
            for (name, value) in report.members(answer) {
                line("<", "\(report.text(name) ?? ""): \(report.scalarText(value) ?? "")")
            }
        }
    }

    private static func show(_ report: JSONTape, _ part: JSONIndex, _ mark: String) {
        if let headers = report.member(part, "headers") {
            for header in report.elements(headers) {
                line(mark, text(report, "/name", from: header) + ": " + text(report, "/value", from: header))
            }
        }
        let body = text(report, "/body", from: part)
        guard !body.isEmpty else { return }
        line(mark, "")
        for text in body.split(whereSeparator: \.isNewline) { line(mark, String(text)) }
    }

    private static func line(_ mark: String, _ text: String) {
        Terminal.print(text.isEmpty ? mark : "\(mark) \(Terminal.harmless(text))")
    }

    private static func object(_ report: JSONTape, _ path: String) -> JSONIndex? {
        report.value(at: pointer(path)).flatMap { report.kind($0) == .object ? $0 : nil }
    }

    private static func text(_ report: JSONTape, _ path: String, from place: JSONIndex? = nil) -> String {
        report.value(at: pointer(path), from: place).flatMap { report.scalarText($0) } ?? ""
    }

    private static func pointer(_ path: String) -> JSONPointer {
        JSONPointer(tokens: path.split(separator: "/").map(String.init))
    }
}
