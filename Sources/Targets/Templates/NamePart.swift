/// Some of a name's words, for services that want first and last names apart where a sender knows only both together.
enum NamePart: Sendable, Hashable {
    case whole
    case lastWord
    /// All but the last.
    case firstWords

    /// Nil where there is no such word: a name of one word has no first ones.
    func taken(from name: String) -> String? {
        let scalars = name.unicodeScalars
        let words = scalars.split(whereSeparator: \.properties.isWhitespace)
        guard let first = words.first, let last = words.last else { return nil }
        switch self {
        case .whole: return name
        case .lastWord: return String(last)
        case .firstWords:
            guard words.count > 1 else { return nil }
            return String(scalars[first.startIndex..<words[words.count - 2].endIndex])
        }
    }
}
