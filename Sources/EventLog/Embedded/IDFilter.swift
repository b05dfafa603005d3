internal import Events

/// A split-block Bloom filter over ids: eight bits in one 32-byte block an id, so that a probe touches one cache line.
/// At 12 bits an id about one absent id in 250 is taken for a present one; a present one is never missed.
/// (Putze, Sanders, Singler: "Cache-, hash- and space-efficient Bloom filters", 2007.)
struct IDFilter: Sendable, Equatable {
    /// Where an id's bits are, in filters of any size.
    struct Probe {
        fileprivate let block: UInt64
        fileprivate let bits: SIMD8<UInt32>

        private static let salts = SIMD8<UInt32>(
            0x47B6_137B, 0x4497_4D91, 0x8824_AD5B, 0xA2B7_289D, 0x7054_95C7, 0x2DF1_424B, 0x9EFC_4947, 0x5C6B_FB31)

        init(_ id: EventID) {
            let key = SIMD8<UInt32>(repeating: UInt32(truncatingIfNeeded: id.low))
            block = id.low >> 32
            bits = SIMD8<UInt32>(repeating: 1) &<< ((key &* Self.salts) &>> 27)
        }
    }

    /// A power of two.
    private var blocks: [SIMD8<UInt32>]

    /// - Parameter capacity: ids it is to hold, at 12 to 24 bits each.
    init(capacity: Int) {
        var count = 1
        while count * 256 < capacity * 12 { count *= 2 }
        blocks = [SIMD8<UInt32>](repeating: SIMD8(), count: count)
    }

    /// - Parameter bytes: as `bytes` gave them; nil when they are none.
    init?(bytes: [UInt8]) {
        let count = bytes.count / 32
        guard count > 0, bytes.count % 32 == 0, count & (count - 1) == 0 else { return nil }
        blocks = unsafe [SIMD8<UInt32>](unsafeUninitializedCapacity: count) { buffer, initialized in
            unsafe UnsafeMutableRawBufferPointer(buffer).copyBytes(from: bytes)
            initialized = count
        }
    }

    /// In the machine's order, which is little-endian wherever this runs.
    var bytes: [UInt8] { unsafe blocks.withUnsafeBytes { unsafe Array($0) } }

    var byteCount: Int { blocks.count * 32 }

    mutating func insert(_ id: EventID) {
        let probe = Probe(id)
        blocks[index(probe)] |= probe.bits
    }

    /// All eight bits are looked at in any case: a branch that nearly always goes one way costs less than half of them.
    func mayContain(_ probe: Probe) -> Bool {
        blocks[index(probe)] & probe.bits == probe.bits
    }

    /// Half the size, at a higher rate of false alarms.
    func folded() -> IDFilter {
        guard blocks.count > 1 else { return self }
        var half = self
        let count = blocks.count / 2
        half.blocks = (0..<count).map { blocks[$0] | blocks[$0 + count] }
        return half
    }

    /// The block is chosen by low bits, so that folding keeps every id where its probe looks.
    private func index(_ probe: Probe) -> Int {
        Int(truncatingIfNeeded: probe.block & UInt64(blocks.count - 1))
    }
}
