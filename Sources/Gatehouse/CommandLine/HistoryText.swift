internal import JSON

/// What was sent to one target and answered, attempt by attempt, for people.
struct HistoryText {
    private let record: Record

    /// - Parameter record: a delivery with its history.
    init(_ record: Record) {
        self.record = record
    }

    var lines: [String] {
        let reason = record("/reason") == "-" ? "" : " (\(record("/reason")))"
        var lines = [Terminal.paint("\(record("/target")): \(record("/state"))", .bold) + reason]
        for index in 0..<count("/history") { lines += attempt("/history/\(index)") }
        return lines
    }

    private func attempt(_ place: String) -> [String] {
        var lines = ["Attempt " + AttemptText.line(record, place)]
        if isThere("\(place)/request") { lines += request("\(place)/request").map { "  " + $0 } }
        guard isThere("\(place)/response") else { return lines + ["  There was no answer, or it is no longer kept."] }
        let cut = record("\(place)/response/cut") == "true" ? ", of which this is the beginning" : ""
        lines.append("  It was answered\(cut):")
        lines += (headers("\(place)/response") + body("\(place)/response")).map { "    " + $0 }
        return lines
    }

    private func request(_ place: String) -> [String] {
        let mark = "SHA-256 \(record("\(place)/sha256"))"
        guard record("\(place)/reproducible") == "true" else {
            let why = "Not reproducible: \(record("\(place)/why", most: 500)) (\(mark))."
            guard isThere("\(place)/body") else { return [why] }
            let cut = record("\(place)/cut") == "true" ? ", the beginning" : ""
            return [why, "What was kept of it\(cut):"] + body(place).map { "  " + $0 }
        }
        let method = record("\(place)/method") == "-" ? "to" : record("\(place)/method")
        return ["It was sent (\(mark)):"]
            + (["\(method) \(record("\(place)/url", most: 2048))"] + headers(place) + body(place)).map { "  " + $0 }
    }

    private func headers(_ place: String) -> [String] {
        (0..<count("\(place)/headers")).map { index in
            let header = "\(place)/headers/\(index)"
            return "\(record("\(header)/name", most: 128)): \(record("\(header)/value", most: 8192))"
        }
    }

    /// An empty line before it.
    private func body(_ place: String) -> [String] {
        guard let value = value("\(place)/body"), let text = record.tape.text(value), !text.isEmpty else { return [] }
        return [""] + text.split(separator: "\n").map { Terminal.harmless($0) }
    }

    private func value(_ pointer: String) -> JSONIndex? {
        (try? JSONPointer(pointer)).flatMap { record.tape.value(at: $0) }
    }

    private func isThere(_ pointer: String) -> Bool {
        value(pointer).map { record.tape.kind($0) != .null } ?? false
    }

    private func count(_ pointer: String) -> Int { value(pointer).map { record.tape.count($0) } ?? 0 }
}

/// One attempt in a sentence.
enum AttemptText {
    /// - Parameter place: a JSON pointer to it.
    static func line(_ record: Record, _ place: String) -> String {
        func value(_ name: String) -> String { record("\(place)/\(name)", most: 500) }
        let status = value("status") == "-" ? "" : ", status \(value("status"))"
        let end = value("reason") == "-" ? "it was taken" : "it failed: \(value("reason"))"
        return "\(value("number")) at \(value("at")), \(value("duration_ms")) ms\(status): \(end)."
    }
}
