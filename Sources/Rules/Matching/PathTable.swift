internal import Events

/// The places in an event that some rule looks at.
struct PathTable: Sendable {
    struct Path: Sendable {
        enum Place: UInt8, Sendable {
            case event, time, field, personal, additional, original
        }

        let place: Place
        let field: EventField
        let kind: FieldKind
        /// What is found out in every event that has the path.
        var always: Lookups = []
        var hasTexts = false
        var hasExactTexts = false
        /// Whether nothing but equal texts and numbers is looked for in every event.
        var isPlain: Bool { always == .values && hasTexts && !hasExactTexts && kind.isTextual(.text) }
        /// The longest text of any rule, in bytes; likewise of domains.
        var longestText: Int32 = 0
        var longestDomain: Int32 = 0
        /// Ranges of `lengths`, ascending: of beginnings, of endings, of networks (those of IPv6 and 1000).
        var prefixes: Range<Int32> = 0..<0
        var suffixes: Range<Int32> = 0..<0
        var networks: Range<Int32> = 0..<0
        /// In the automaton; -1 for none.
        var root: Int32 = -1
        /// The path's place among the ranges; -1 for none.
        var numbers: Int32 = -1
        var moments: Int32 = -1
        /// Ranges that move with the event's time.
        var ages: Int32 = -1
        /// The first of four places in `situations`; -1 for none.
        var situations: Int32 = -1
        /// The fact that a number cannot be compared; -1 when nobody asks.
        var undecidable: Int32 = -1
        /// A range of `tested`.
        var tested: Range<Int32> = 0..<0
    }

    var paths: [Path] = []
    var tree = PathTree()
    /// Paths outside the tree that are looked at in every event.
    var alwaysRead: [Int32] = []
    /// Parts of the tree that are walked for every event.
    var alwaysWalked: [PathTree.Root] = []
    var lengths: [UInt16] = []
    /// Facts of states, in the order of `Fact.situations`; -1 where there is none.
    var situations: [Int32] = []
    /// Facts of texts that nothing leads to, each tested in every event that has the path.
    var tested: [Int32] = []

    var memory: Int {
        paths.capacity * MemoryLayout<Path>.stride + tree.memory + 2 * lengths.capacity
            + 4 * (alwaysRead.capacity + situations.capacity + tested.capacity)
    }

    @inline(__always)
    subscript(path: Int32) -> Path {
        _read { yield paths[Int(path)] }
        _modify { yield &paths[Int(path)] }
    }
}
