/// What can be told of two patterns without any text.
extension TextRelation {
    /// Texts are compared without their outer spaces.
    func isImpossible(_ pattern: TextPattern) -> Bool {
        let trimmed = TextFolding.trimmed(pattern.folded)
        return switch self {
        case .startsWith: trimmed.lowerBound > 0
        case .endsWith: trimmed.upperBound < pattern.folded.count
        default: false
        }
    }

    /// Whether no text fits both.
    func excludes(_ pattern: TextPattern, _ other: TextRelation, _ another: TextPattern) -> Bool {
        let (one, two) = (PatternShape(self, pattern), PatternShape(other, another))
        return !(one.start.starts(with: two.start) || two.start.starts(with: one.start))
            || !(one.end.reversed().starts(with: two.end.reversed())
                || two.end.reversed().starts(with: one.end.reversed()))
    }

    /// Whether every text that fits the one fits the other.
    func implies(_ pattern: TextPattern, _ other: TextRelation, _ another: TextPattern) -> Bool {
        if self == other, pattern.folded == another.folded { return true }
        let shape = PatternShape(self, pattern)
        if let whole = shape.whole { return other.holds(another, of: whole) }
        switch other {
        case .startsWith: return shape.start.starts(with: another.folded)
        case .endsWith: return shape.end.reversed().starts(with: another.folded.reversed())
        case .contains:
            return shape.parts.contains { $0.contains(another.folded) }
        case .domain:
            return self == .domain && another.folded.first == UInt8(ascii: ".")
                && pattern.folded.reversed().starts(with: another.folded.reversed())
        case .like: return false
        }
    }
}

/// What every text that fits a pattern begins with, ends with and holds.
private struct PatternShape {
    var start: [UInt8] = []
    var end: [UInt8] = []
    var parts: [[UInt8]] = []
    /// The only text that fits.
    var whole: [UInt8]?

    init(_ relation: TextRelation, _ pattern: TextPattern) {
        let text = pattern.folded
        switch relation {
        case .startsWith: start = text
        case .endsWith: end = text
        case .contains: break
        case .like:
            let pieces = text.split(omittingEmptySubsequences: false) {
                $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?")
            }
            start = Array(pieces.first ?? [])
            end = Array(pieces.last ?? [])
            if pieces.count == 1 { whole = text }
            parts = pieces.map(Array.init)
            return
        case .domain: end = (text.first == UInt8(ascii: ".") ? [] : [UInt8(ascii: "@")]) + text
        }
        parts = [relation == .domain ? end : text]
    }
}

extension [UInt8] {
    fileprivate func contains(_ part: [UInt8]) -> Bool {
        guard part.count <= count else { return false }
        return (0...(count - part.count)).contains { self[$0...].starts(with: part) }
    }
}
