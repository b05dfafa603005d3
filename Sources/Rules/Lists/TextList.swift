internal import Cryptography

/// A list of texts out of a file, for `in_list:`. Whether a text is in it costs the same however long it is.
final class TextList: Sendable {
    static let mostEntries = 1_000_000
    /// Of all entries, folded.
    static let mostBytes = 64 << 20

    /// With its team: `london/watchlist`.
    let name: String
    let count: Int
    /// Equal for lists of the same texts in the same order.
    let digest: String
    /// All entries behind one another.
    private let bytes: [UInt8]
    /// By entry: where it ends.
    private let ends: [UInt32]
    /// Open addressing: numbers of entries, counted from 1; 0: empty. A power of two, at most half full.
    private let slots: [UInt32]

    fileprivate init(name: String, _ builder: TextListBuilder) {
        self.name = name
        (bytes, ends, slots) = (builder.bytes, builder.ends, builder.slots)
        count = ends.count
        digest = Hex.encode(
            SHA256.hash(bytes + ends.flatMap { end in (0..<4).map { UInt8(truncatingIfNeeded: end >> (8 * $0)) } }))
    }

    /// - Parameters:
    ///   - text: holds the text, folded and without outer white space (`TextFolding`).
    ///   - range: where in it.
    func contains(_ text: [UInt8], _ range: Range<Int>) -> Bool {
        var slot = TextListHash.of(text, range) & (slots.count - 1)
        while slots[slot] != 0 {
            let entry = Int(slots[slot]) - 1
            let start = entry == 0 ? 0 : Int(ends[entry - 1])
            if bytes[start..<Int(ends[entry])].elementsEqual(text[range]) { return true }
            slot = (slot + 1) & (slots.count - 1)
        }
        return false
    }

    func contains(_ text: [UInt8]) -> Bool { contains(text, text.indices) }

    var memory: Int { bytes.capacity + 4 * (ends.capacity + slots.capacity) }
}

/// A list on its way.
struct TextListBuilder {
    fileprivate private(set) var bytes: [UInt8] = []
    fileprivate private(set) var ends: [UInt32] = []
    fileprivate private(set) var slots = [UInt32](repeating: 0, count: 64)

    var count: Int { ends.count }
    var byteCount: Int { bytes.count }

    /// Adds an entry, unless it is there already.
    /// - Parameter text: folded, without outer white space.
    mutating func add(_ text: [UInt8]) {
        guard let slot = freeSlot(text, text.indices) else { return }
        bytes += text
        ends.append(UInt32(bytes.count))
        slots[slot] = UInt32(ends.count)
        if ends.count * 2 > slots.count { grow() }
    }

    func list(name: String) -> TextList { TextList(name: name, self) }

    /// Nil when the text is there.
    private func freeSlot(_ text: [UInt8], _ range: Range<Int>) -> Int? {
        var slot = TextListHash.of(text, range) & (slots.count - 1)
        while slots[slot] != 0 {
            if bytes[self.range(Int(slots[slot]) - 1)].elementsEqual(text[range]) { return nil }
            slot = (slot + 1) & (slots.count - 1)
        }
        return slot
    }

    private func range(_ entry: Int) -> Range<Int> { (entry == 0 ? 0 : Int(ends[entry - 1]))..<Int(ends[entry]) }

    private mutating func grow() {
        slots = [UInt32](repeating: 0, count: slots.count * 4)
        for entry in ends.indices {
            var slot = TextListHash.of(bytes, range(entry)) & (slots.count - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = UInt32(entry + 1)
        }
    }
}

/// Only who writes the list puts texts into a table; an event's are looked up, and a hit is compared byte by byte.
private enum TextListHash {
    @inline(__always)
    static func of(_ text: [UInt8], _ range: Range<Int>) -> Int {
        var hash = ByteHash()
        for place in range { hash.add(text[place]) }
        return Int(truncatingIfNeeded: hash.value & UInt64(Int.max))
    }
}
