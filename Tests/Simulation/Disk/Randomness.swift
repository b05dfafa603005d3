/// The only source of chance in a simulation (xoshiro256**, Blackman and Vigna 2018): equal seeds, equal runs.
package struct Randomness: RandomNumberGenerator, Sendable {
    private var state: (UInt64, UInt64, UInt64, UInt64)

    package init(seed: UInt64) {
        var seeding = seed
        func word() -> UInt64 {
            // SplitMix64, as its authors advise for seeding.
            seeding &+= 0x9E37_79B9_7F4A_7C15
            var mixed = seeding
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
        state = (word(), word(), word(), word())
    }

    package mutating func next() -> UInt64 {
        let product = state.1 &* 5
        let result = (product << 7 | product >> 57) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = state.3 << 45 | state.3 >> 19
        return result
    }

    /// A generator of its own, so that what one part draws does not shift what another draws.
    package mutating func split() -> Randomness { Randomness(seed: next()) }

    package mutating func integer(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

    /// True once in `times` on average.
    package mutating func oneIn(_ times: Int) -> Bool { Int.random(in: 0..<max(1, times), using: &self) == 0 }
}
