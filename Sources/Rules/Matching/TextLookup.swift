/// A folded text of the event, to be found among the facts together with others.
struct TextLookup: Sendable {
    let path: Int32
    let count: Int32
    /// Its first bytes.
    let beginning: ShortText
    /// Where a text that is longer than those begins in `MatchState.folded`.
    let start: Int32
    let hash: UInt64
    /// What is known so far: the slot of the table, then the number of the fact and 1, or 0 for none.
    var found: UInt64 = 0

    /// Of all of a short text.
    init(_ text: ShortText, _ count: Int, path: Int32) {
        self.path = path
        self.count = Int32(count)
        beginning = text
        start = 0
        hash = text.hash(count, of: path)
    }

    init(_ folded: [UInt8], _ range: Range<Int>, path: Int32) {
        self.path = path
        count = Int32(range.count)
        start = Int32(range.lowerBound)
        beginning = ShortText(beginningOf: folded, range)
        hash = Self.hash(beginning, folded, range, path: path)
    }

    /// Of texts of any length.
    static func hash(_ beginning: ShortText, _ text: [UInt8], _ range: Range<Int>, path: Int32) -> UInt64 {
        let hash = beginning.hash(range.count, of: path)
        guard range.count > ShortText.longest else { return hash }
        var rest = ByteHash(path: path, kind: .text)
        for place in range.lowerBound + ShortText.longest..<range.upperBound { rest.add(text[place]) }
        return hash ^ rest.value
    }
}
