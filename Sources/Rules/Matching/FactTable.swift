/// Every fact of a plan, numbered; those known by bytes are found by hash (open addressing, at most half full).
struct FactTable: Sendable {
    private(set) var facts: [Fact] = []
    private(set) var bytes: [UInt8] = []
    /// The upper half of the hash, then the number of the fact and 1; 0 is free.
    private var slots: [UInt64] = []
    private var used = 0

    var count: Int { facts.count }
    subscript(fact: Int32) -> Fact { facts[Int(fact)] }

    /// What the buffers take, in bytes.
    var memory: Int {
        facts.capacity * MemoryLayout<Fact>.stride + bytes.capacity + slots.capacity * MemoryLayout<UInt64>.stride
    }

    /// The bytes of a fact that has any.
    @inline(__always)
    func range(_ fact: Fact) -> Range<Int> { Int(fact.start)..<Int(fact.start) + Int(fact.count) }

    /// The fact of these bytes, made when there is none. Bytes beyond 65535 are no fact.
    mutating func insert(_ kind: Fact.Kind, path: Int32, _ value: [UInt8]) -> Int32? {
        guard value.count <= Int(UInt16.max), bytes.count + value.count <= Int(UInt32.max) else { return nil }
        let hash = Self.hash(kind, path, value)
        if let known = find(kind, path: path, hash, in: value, 0..<value.count) { return known }
        if used * 2 >= slots.count { grow() }
        let number = append(
            Fact(
                path: path, kind: kind, isFound: kind != .contains, count: UInt16(value.count),
                start: UInt32(bytes.count),
                beginning: kind == .text ? ShortText(beginningOf: value, value.indices) : .none))
        bytes += value
        place(hash, number)
        return number
    }

    /// A fact that is not known by bytes.
    mutating func append(_ fact: Fact) -> Int32 {
        facts.append(fact)
        return Int32(facts.count - 1)
    }

    mutating func setRoute(_ fact: Int32, _ route: Int32) { facts[Int(fact)].route = route }
    mutating func setFound(_ fact: Int32) { facts[Int(fact)].isFound = true }

    /// - Parameter hash: of the kind, the path and the bytes in this range, in the order in which the kind hashes them.
    @inline(__always)
    func find(_ kind: Fact.Kind, path: Int32, _ hash: UInt64, in value: [UInt8], _ range: Range<Int>) -> Int32? {
        guard !slots.isEmpty else { return nil }
        let mask = slots.count - 1
        var place = Int(truncatingIfNeeded: hash) & mask
        while true {
            let slot = slots[place]
            if slot == 0 { return nil }
            if slot >> 32 == hash >> 32 {
                let number = Int32(truncatingIfNeeded: slot & 0xFFFF_FFFF) - 1
                if isSame(facts[Int(number)], kind, path, value, range) { return number }
            }
            place = (place + 1) & mask
        }
    }

    // MARK: Many texts

    /// Finds texts in rounds. Each round reads for all of them what the next one needs, and no text waits for another's:
    /// with many rules the table is too large for a fast cache.
    /// - Parameter folded: what the lookups speak of.
    func find(_ texts: inout [TextLookup], in folded: [UInt8]) {
        guard !slots.isEmpty else {
            texts.removeAll(keepingCapacity: true)
            return
        }
        let mask = slots.count - 1
        for index in texts.indices { texts[index].found = slots[Int(truncatingIfNeeded: texts[index].hash) & mask] }
        for index in texts.indices { texts[index].found = candidate(texts[index], mask) }
        for index in texts.indices where texts[index].found != 0 {
            let text = texts[index]
            let fact = facts[Int(truncatingIfNeeded: text.found) - 1]
            if !isSame(fact, text, folded) { texts[index].found = find(text, folded, mask) }
        }
    }

    /// The number of the first fact with the same upper half of the hash, and 1; 0 for none.
    @inline(__always)
    private func candidate(_ text: TextLookup, _ mask: Int) -> UInt64 {
        var place = Int(truncatingIfNeeded: text.hash) & mask
        var slot = text.found
        while slot != 0, slot >> 32 != text.hash >> 32 {
            place = (place + 1) & mask
            slot = slots[place]
        }
        return slot & 0xFFFF_FFFF
    }

    /// The number of the fact and 1; 0 for none.
    private func find(_ text: TextLookup, _ folded: [UInt8], _ mask: Int) -> UInt64 {
        var place = Int(truncatingIfNeeded: text.hash) & mask
        while slots[place] != 0 {
            let number = slots[place] & 0xFFFF_FFFF
            if isSame(facts[Int(number) - 1], text, folded) { return number }
            place = (place + 1) & mask
        }
        return 0
    }

    @inline(__always)
    private func isSame(_ fact: Fact, _ text: TextLookup, _ folded: [UInt8]) -> Bool {
        guard fact.beginning == text.beginning, fact.path == text.path, Int32(fact.count) == text.count,
            fact.kind == .text
        else { return false }
        return text.count <= ShortText.longest
            || isSame(fact, .text, text.path, folded, Int(text.start)..<Int(text.start + text.count))
    }

    // MARK: Bytes

    private func isSame(_ fact: Fact, _ kind: Fact.Kind, _ path: Int32, _ value: [UInt8], _ range: Range<Int>) -> Bool {
        guard fact.path == path, fact.kind == kind, Int(fact.count) == range.count else { return false }
        var own = Int(fact.start)
        for position in range {
            if bytes[own] != value[position] { return false }
            own += 1
        }
        return true
    }

    /// Endings are hashed from their last byte, everything else from its first.
    private static func hash(_ kind: Fact.Kind, _ path: Int32, _ value: [UInt8]) -> UInt64 {
        if kind == .text {
            let beginning = ShortText(beginningOf: value, value.indices)
            return TextLookup.hash(beginning, value, value.indices, path: path)
        }
        var hash = ByteHash(path: path, kind: kind)
        switch kind {
        case .suffix, .domainEnding: for byte in value.reversed() { hash.add(byte) }
        default: for byte in value { hash.add(byte) }
        }
        return hash.value
    }

    private mutating func place(_ hash: UInt64, _ number: Int32) {
        let mask = slots.count - 1
        var place = Int(truncatingIfNeeded: hash) & mask
        while slots[place] != 0 { place = (place + 1) & mask }
        slots[place] = (hash >> 32) << 32 | UInt64(number + 1)
        used += 1
    }

    private mutating func grow() {
        slots = Array(repeating: 0, count: max(16, slots.count * 2))
        used = 0
        for (number, fact) in facts.enumerated() where fact.kind.hasBytes {
            place(Self.hash(fact.kind, fact.path, Array(bytes[range(fact)])), Int32(number))
        }
    }

    /// Gives back what was kept for growing.
    mutating func seal() {
        facts = facts.map { $0 }
        bytes = Array(bytes[...])
    }
}
