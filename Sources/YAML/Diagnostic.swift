/// One thing wrong with a file, and where.
package struct Diagnostic: Sendable, Hashable, CustomStringConvertible {
    package enum Severity: Sendable, Hashable {
        case error
        case warning
    }

    package var severity: Severity
    package var location: SourceLocation
    /// What is wrong and what to write instead. Never a resolved secret.
    package var message: String
    /// The nearest name that would have been right.
    package var suggestion: String?

    package init(
        severity: Severity = .error, location: SourceLocation, message: String, suggestion: String? = nil
    ) {
        self.severity = severity
        self.location = location
        self.message = message
        self.suggestion = suggestion
    }

    /// `file:line:column: message (did you mean x?)`, on one line.
    package var description: String {
        let mark = severity == .warning ? "warning: " : ""
        let hint = suggestion.map { " (did you mean \(displayable($0))?)" } ?? ""
        return "\(location): \(mark)\(message)\(hint)"
    }
}

/// What was found wrong in one or several files, gathered so that everything is told at once.
package struct Diagnostics: Error, Sendable, CustomStringConvertible {
    /// As found, at most `limit`.
    package private(set) var all: [Diagnostic] = []
    /// Those found beyond the limit, counted and not kept.
    package private(set) var suppressed = 0
    package private(set) var hasErrors = false

    package static let limit = 500

    package init() {}

    package var isEmpty: Bool { all.isEmpty }
    /// No more are kept.
    package var isFull: Bool { all.count >= Self.limit }

    package mutating func error(at location: SourceLocation, _ message: String, didYouMean suggestion: String? = nil) {
        add(Diagnostic(severity: .error, location: location, message: message, suggestion: suggestion))
    }

    package mutating func warning(
        at location: SourceLocation, _ message: String, didYouMean suggestion: String? = nil
    ) {
        add(Diagnostic(severity: .warning, location: location, message: message, suggestion: suggestion))
    }

    package mutating func add(_ diagnostic: Diagnostic) {
        if diagnostic.severity == .error { hasErrors = true }
        guard all.count < Self.limit else {
            suppressed += 1
            return
        }
        all.append(diagnostic)
    }

    package mutating func merge(_ other: Diagnostics) {
        for diagnostic in other.all { add(diagnostic) }
        suppressed += other.suppressed
        hasErrors = hasErrors || other.hasErrors
    }

    /// Ordered for reading: files as first met, then by line and column.
    package var sorted: [Diagnostic] {
        var order: [String: Int] = [:]
        for diagnostic in all where order[diagnostic.location.file] == nil {
            order[diagnostic.location.file] = order.count
        }
        return all.enumerated().sorted { one, other in
            let (a, b) = (one.element.location, other.element.location)
            return (order[a.file] ?? 0, a.line, a.column, one.offset) < (
                order[b.file] ?? 0, b.line, b.column, other.offset
            )
        }.map(\.element)
    }

    /// One line for each, in reading order.
    package var description: String {
        (sorted.map(\.description) + suppressedLine).joined(separator: "\n")
    }

    /// Each diagnostic with its source line and a caret below the column.
    /// - Parameter source: the text of a file, by the name its locations carry; nil where it cannot be shown.
    package func rendered(source: (String) -> [UInt8]?) -> String {
        var excerpts: [String: SourceExcerpts] = [:]
        var lines: [String] = []
        for diagnostic in sorted {
            lines.append(diagnostic.description)
            let file = diagnostic.location.file
            if excerpts[file] == nil { excerpts[file] = SourceExcerpts(source(file) ?? []) }
            lines += excerpts[file]?.excerpt(at: diagnostic.location) ?? []
        }
        return (lines + suppressedLine).joined(separator: "\n")
    }

    private var suppressedLine: [String] {
        suppressed == 0 ? [] : ["and \(suppressed) more; mend the first ones and look again"]
    }
}
