internal import Events

/// The ids of the newest records, by sequence: an exact set once a candidate is compared with the id on disk. Open
/// addressing, 8 bytes an id: 45 bits of its hash and 19 of its place.
struct RecentIDs {
    /// Ids it takes; `isFull` from there on, with room for one more commit.
    static let capacity = 349_525
    /// Free places for so many ids of a commit beyond `capacity`, at a load that keeps chains short.
    private static let spare = 512
    private static let placeBits: UInt64 = 19
    private static let placeMask: UInt64 = (1 << placeBits) - 1

    /// The sequence of the first id.
    private(set) var first: Int64
    private(set) var count = 0
    /// 0 is free; else a fingerprint above, and the place counted from 1 below.
    private var slots: [UInt64]
    private let key: (UInt64, UInt64)
    private let capacity: Int
    private let slotCount: Int

    /// - Parameter capacity: at most the default, which is what the places in a slot can tell.
    init(first: Int64, capacity: Int = Self.capacity) {
        precondition(capacity <= Self.capacity)
        self.first = first
        self.capacity = capacity
        slotCount = (capacity + Self.spare) * 5 / 4
        slots = [UInt64](repeating: 0, count: slotCount)
        // Senders choose what ids are made of: without a key they could choose where these collide.
        key = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
    }

    var isFull: Bool { count >= capacity }
    /// Beyond the last id's sequence.
    var end: Int64 { first + Int64(count) }

    /// Adds the id of the next sequence.
    mutating func append(_ id: EventID) {
        precondition(count < slotCount * 7 / 8)
        let (home, fingerprint) = hash(id)
        var slot = home
        while slots[slot] != 0 { slot = slot + 1 == slotCount ? 0 : slot + 1 }
        count += 1
        slots[slot] = fingerprint << Self.placeBits | UInt64(count)
    }

    /// Takes back the ids from `sequence` on, the newest first.
    mutating func removeLast(_ ids: [EventID]) {
        for id in ids.reversed() {
            let (home, fingerprint) = hash(id)
            let entry = fingerprint << Self.placeBits | UInt64(count)
            var slot = home
            while slots[slot] != entry {
                precondition(slots[slot] != 0)
                slot = slot + 1 == slotCount ? 0 : slot + 1
            }
            // The newest entry is the last of its chain: nothing behind it was displaced by it.
            slots[slot] = 0
            count -= 1
        }
    }

    /// Has the first id be of another sequence, while there is none.
    mutating func begin(at first: Int64) {
        precondition(count == 0)
        self.first = first
    }

    /// The sequence for which `isSame` holds, among those whose fingerprint is the id's.
    func sequence<Failure: Error>(
        of id: EventID, where isSame: (Int64) throws(Failure) -> Bool
    ) throws(Failure) -> Int64? {
        let (home, fingerprint) = hash(id)
        var slot = home
        while slots[slot] != 0 {
            if slots[slot] >> Self.placeBits == fingerprint {
                let candidate = first + Int64(slots[slot] & Self.placeMask) - 1
                if try isSame(candidate) { return candidate }
            }
            slot = slot + 1 == slotCount ? 0 : slot + 1
        }
        return nil
    }

    private func hash(_ id: EventID) -> (home: Int, fingerprint: UInt64) {
        let product = (id.high ^ key.0).multipliedFullWidth(by: (id.low ^ key.1) | 1)
        let mixed = (product.high ^ product.low) &* 0x9E37_79B9_7F4A_7C15
        let home = mixed.multipliedFullWidth(by: UInt64(slotCount)).high
        let fingerprint = (product.low &* 0xD6E8_FEB8_6659_FD93 ^ id.high) >> Self.placeBits
        return (Int(home), fingerprint)
    }
}

/// An id as two words, with the sequence of its record.
struct IndexedID: Comparable {
    var id: EventID
    var sequence: Int64

    static func < (one: IndexedID, other: IndexedID) -> Bool {
        (one.id.high, one.id.low) < (other.id.high, other.id.low)
    }
}

/// How ids stand on disk: 16 bytes, big-endian; with a sequence, 24.
enum IDCoding {
    static let size = 16
    static let indexedSize = 24

    static func append(_ id: EventID, to bytes: inout [UInt8]) {
        append(id.high, to: &bytes)
        append(id.low, to: &bytes)
    }

    static func append(_ word: UInt64, to bytes: inout [UInt8]) {
        unsafe withUnsafeBytes(of: word.bigEndian) { unsafe bytes.append(contentsOf: $0) }
    }

    static func word(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> UInt64 {
        UInt64(bigEndian: unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    static func id(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> EventID {
        unsafe EventID(high: word(bytes, at: offset), low: word(bytes, at: offset + 8))
    }
}
