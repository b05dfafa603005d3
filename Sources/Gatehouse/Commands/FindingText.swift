internal import Rules

/// What a route asked and found, line by line: `yes`, `no` or `?` before each question.
enum FindingText {
    static func lines(of route: RouteExplanation) -> [String] {
        let name = Terminal.paint(Terminal.harmless(route.name), .bold)
        let targets = route.targets.map { Terminal.harmless($0) }.joined(separator: ", ")
        let verdict =
            switch route.outcome {
            case .taken: Terminal.paint("takes it", .green) + ", to \(targets)"
            case .notTaken, .disabled: Terminal.paint("does not take it", .red) + ": \(route.reason)"
            case .failed: Terminal.paint("fails", .yellow) + ": \(route.reason)"
            }
        var lines = ["\(name) \(verdict) (\(route.location))"]
        if route.takesUnmatched, route.outcome == .taken { lines.append("  yes  no other route takes it") }
        if let scope = route.scope {
            lines.append("  its scope:")
            lines += self.lines(of: scope, depth: 2)
        }
        return lines + self.lines(of: route.condition, depth: 1)
    }

    private static func lines(of finding: Finding, depth: Int) -> [String] {
        let margin = String(repeating: "  ", count: depth)
        let mark = mark(finding.answer)
        switch finding.part {
        case .all(let parts):
            if parts.isEmpty { return ["\(margin)\(mark)  it takes every event"] }
            // What a route asks is a list of its own; below `any` and `not` it needs a heading.
            if depth == 1 { return parts.flatMap { lines(of: $0, depth: depth) } }
            return ["\(margin)\(mark)  all of these:"] + parts.flatMap { lines(of: $0, depth: depth + 1) }
        case .any(let parts):
            return ["\(margin)\(mark)  one of these:"] + parts.flatMap { lines(of: $0, depth: depth + 1) }
        case .not(let part):
            return ["\(margin)\(mark)  not this:"] + lines(of: part, depth: depth + 1)
        case .named(let name, let part):
            return ["\(margin)\(mark)  the condition \(Terminal.harmless(name)):"] + lines(of: part, depth: depth + 1)
        case .question(let question):
            let place = Terminal.paint("(\(question.location))", .dim)
            return ["\(margin)\(mark)  \(question.expected): \(question.answerInWords) \(place)"]
        }
    }

    private static func mark(_ answer: Bool?) -> String {
        switch answer {
        case true?: Terminal.paint("yes", .green)
        case false?: Terminal.paint("no ", .red)
        case nil: Terminal.paint("?  ", .yellow)
        }
    }
}
