/// What a text is compared with by `starts_with`, `ends_with`, `contains`, `like` and `domain`.
struct TextPattern: Hashable, Sendable {
    /// As written.
    let text: String
    /// As compared: folded (`TextFolding`); outer spaces stay, except for `domain`.
    let folded: [UInt8]
}

extension TextRelation {
    /// - Parameter text: folded, without outer white space.
    func holds(_ pattern: TextPattern, of text: [UInt8]) -> Bool {
        let wanted = pattern.folded
        switch self {
        case .startsWith: return text.starts(with: wanted)
        case .endsWith: return text.count >= wanted.count && text[(text.count - wanted.count)...].elementsEqual(wanted)
        case .contains: return GlobPattern(containing: wanted).matches(text)
        case .like: return GlobPattern(wanted).matches(text)
        case .domain: return DomainPattern.matches(wanted, DomainPattern.domain(of: text))
        }
    }
}

/// Domains of e-mail addresses.
enum DomainPattern {
    /// What follows the last `@`; nil where there is none.
    /// - Parameter text: folded, without outer white space.
    static func domain(of text: [UInt8]) -> ArraySlice<UInt8>? {
        text.lastIndex(of: UInt8(ascii: "@")).map { text[($0 + 1)...] }
    }

    /// `acme.com` is that domain, `.acme.com` any below it.
    static func matches(_ pattern: [UInt8], _ domain: ArraySlice<UInt8>?) -> Bool {
        guard let domain else { return false }
        guard pattern.first == UInt8(ascii: ".") else { return domain.elementsEqual(pattern) }
        return domain.count > pattern.count && domain.suffix(pattern.count).elementsEqual(pattern)
    }
}
