/// A pattern of `like:` over a whole text: `*` any run of characters, `?` one character (a Unicode scalar).
///
/// Every place of the pattern is one bit, and all of them step along with each byte of the text (R. Baeza-Yates,
/// G. Gonnet: A New Approach to Text Searching, 1992): the time is that of the text, times one step for each 64 bytes of
/// the pattern, whatever either holds.
struct GlobPattern: Sendable {
    /// Words of 64 places each.
    private let words: Int
    /// Of each byte its class; class 0 is of the bytes the pattern does not name.
    private let classOfByte: [UInt8]
    /// For each class, the places that its bytes lead to, at the beginning of a character and inside one.
    private let firsts: [UInt64]
    private let followers: [UInt64]
    /// The places that also take the other bytes of a character: those of `?`.
    private let questions: [UInt64]
    /// The places after which anything may follow.
    private let stars: [UInt64]
    private let beginsOpen: Bool
    private let length: Int

    /// - Parameter folded: as `TextPattern.folded`: valid UTF-8.
    init(_ folded: [UInt8]) {
        var places: [UInt8?] = []
        var open: [Bool] = []
        var beginsOpen = false
        for byte in folded {
            switch byte {
            case UInt8(ascii: "*"):
                if places.isEmpty { beginsOpen = true } else { open[places.count - 1] = true }
            default:
                places.append(byte == UInt8(ascii: "?") ? nil : byte)
                open.append(false)
            }
        }
        self.init(places, open, beginsOpen)
    }

    /// This text anywhere: `*TEXT*`, with every character standing for itself.
    /// - Parameter folded: as above.
    init(containing folded: [UInt8]) {
        self.init(folded, folded.indices.map { $0 == folded.count - 1 }, true)
    }

    /// - Parameters: bytes, nil for any character; whether anything may follow each; whether anything may stand before.
    private init(_ places: [UInt8?], _ open: [Bool], _ beginsOpen: Bool) {
        words = (places.count + 63) / 64
        length = places.count
        self.beginsOpen = beginsOpen
        var classOfByte = [UInt8](repeating: 0, count: 256)
        var classes: UInt8 = 1
        for case .some(let byte) in places where classOfByte[Int(byte)] == 0 {
            classOfByte[Int(byte)] = classes
            classes += 1
        }
        var firsts = [UInt64](repeating: 0, count: Int(classes) * words)
        var questions = [UInt64](repeating: 0, count: words)
        var stars = questions
        for (place, byte) in places.enumerated() {
            let bit: UInt64 = 1 << UInt64(place % 64)
            if let byte { firsts[Int(classOfByte[Int(byte)]) * words + place / 64] |= bit }
            if byte == nil { questions[place / 64] |= bit }
            if open[place] { stars[place / 64] |= bit }
        }
        followers = firsts
        for index in firsts.indices { firsts[index] |= questions[index % max(words, 1)] }
        self.classOfByte = classOfByte
        self.firsts = firsts
        self.questions = questions
        self.stars = stars
    }

    /// - Parameter text: folded, without outer white space: valid UTF-8.
    func matches(_ text: [UInt8]) -> Bool {
        guard length > 0 else { return beginsOpen || text.isEmpty }
        return words == 1 ? matchesOneWord(text) : matchesWords(text)
    }

    private func matchesOneWord(_ text: [UInt8]) -> Bool {
        var reached: UInt64 = 0
        var begin: UInt64 = 1
        let always: UInt64 = beginsOpen ? 1 : 0
        for byte in text {
            let isInside = byte & 0xC0 == 0x80
            let kind = Int(classOfByte[Int(byte)])
            let next = (reached << 1 | begin) & (isInside ? followers[kind] : firsts[kind])
            reached = next | reached & (isInside ? stars[0] | questions[0] : stars[0])
            begin = always
            if reached == 0, begin == 0 { return false }
        }
        return reached >> UInt64(length - 1) & 1 == 1
    }

    private func matchesWords(_ text: [UInt8]) -> Bool {
        var reached = [UInt64](repeating: 0, count: words)
        var begin: UInt64 = 1
        for byte in text {
            let isInside = byte & 0xC0 == 0x80
            let kind = Int(classOfByte[Int(byte)]) * words
            var carry = begin
            for word in 0..<words {
                let before = reached[word]
                let next = (before << 1 | carry) & (isInside ? followers[kind + word] : firsts[kind + word])
                reached[word] = next | before & (isInside ? stars[word] | questions[word] : stars[word])
                carry = before >> 63
            }
            begin = beginsOpen ? 1 : 0
        }
        return reached[words - 1] >> UInt64((length - 1) % 64) & 1 == 1
    }
}
