internal import JSON

/// One figure of a benchmark.
enum BenchFigure {
    case count(Int)
    /// Shown to people with so many digits, two or three.
    case number(Double, digits: Int)
    case text(String)

    /// Prints a table for people, or one JSON object for machines.
    static func report(_ figures: KeyValuePairs<String, BenchFigure>, asJSON: Bool) {
        guard asJSON else {
            for line in Terminal.table(figures.map { [$0.key, $0.value.shown] }) { Terminal.print(line) }
            return
        }
        var writer = JSONWriter()
        writer.beginObject()
        for (name, figure) in figures {
            writer.key(name)
            switch figure {
            case .count(let count): writer.integer(Int64(count))
            case .number(let number, _): writer.double(number)
            case .text(let text): writer.string(text)
            }
        }
        writer.endObject()
        Terminal.print(bytes: writer.bytes)
    }

    private var shown: String {
        switch self {
        case .count(let count): return "\(count)"
        case .text(let text): return text
        case .number(let value, let digits):
            let scale = digits == 3 ? 1000 : 100
            let number = Int((value * Double(scale)).rounded())
            let rest = "\(number % scale)"
            return "\(number / scale)." + String(repeating: "0", count: digits - rest.utf8.count) + rest
        }
    }
}
