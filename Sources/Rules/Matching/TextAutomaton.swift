/// Aho–Corasick automata, one for each path, in shared flat arrays: finds every pattern in a text in one pass over it.
///
/// States are numbered breadth first, so that the children of a state stand side by side, in the order of their bytes;
/// 14 bytes a state.
struct TextAutomaton: Sendable {
    /// What to do where a pattern ends: the fact holds, or must be tested by itself.
    struct Report: Sendable {
        let raw: Int32

        init(_ fact: Int32, isProof: Bool) { raw = fact << 1 | (isProof ? 1 : 0) }

        var fact: Int32 { raw >> 1 }
        var isProof: Bool { raw & 1 == 1 }
    }

    /// The byte that leads from the parent to this state.
    private(set) var labels: [UInt8] = []
    private(set) var firstChild: [Int32] = []
    private(set) var childCount: [UInt8] = []
    /// The state of the longest proper ending of this state's text.
    private(set) var fallback: [Int32] = []
    /// The place in `reportStart` of the longest pattern that ends here; -1 for none.
    private(set) var ending: [Int32] = []
    /// The next shorter pattern that ends where this one does; -1 for none.
    private(set) var shorter: [Int32] = []
    private(set) var reportStart: [Int32] = [0]
    private(set) var reports: [Report] = []

    var endings: Int { shorter.count }

    var memory: Int {
        labels.capacity + childCount.capacity
            + 4
            * (firstChild.capacity + fallback.capacity + ending.capacity + shorter.capacity + reportStart.capacity
                + reports.capacity)
    }

    /// The state after another byte.
    @inline(__always)
    func step(_ state: Int32, _ byte: UInt8, root: Int32) -> Int32 {
        var state = state
        while true {
            let next = child(state, byte)
            if next >= 0 { return next }
            if state == root { return root }
            state = fallback[Int(state)]
        }
    }

    @inline(__always)
    private func child(_ state: Int32, _ byte: UInt8) -> Int32 {
        let count = Int(childCount[Int(state)])
        if count == 0 { return -1 }
        var low = Int(firstChild[Int(state)])
        if count == 1 { return labels[low] == byte ? Int32(low) : -1 }
        var high = low + count
        while low < high {
            let middle = (low + high) >> 1
            if labels[middle] < byte { low = middle + 1 } else { high = middle }
        }
        return low < Int(firstChild[Int(state)]) + count && labels[low] == byte ? Int32(low) : -1
    }

    /// A range of `reports`.
    @inline(__always)
    func reports(of ending: Int32) -> Range<Int> {
        Int(reportStart[Int(ending)])..<Int(reportStart[Int(ending) + 1])
    }

    static let bytesOfState = 14

    /// Adds the automaton of one path and returns its root; nil, and of no use any more, when it grew beyond the limit.
    /// - Parameters:
    ///   - patterns: none empty.
    ///   - limit: of the states' memory, in bytes.
    mutating func add(_ patterns: [(text: [UInt8], report: Report)], limit: Int) -> Int32? {
        let sorted = patterns.sorted { $0.text.lexicographicallyPrecedes($1.text) }
        let root = Int32(labels.count)
        append(label: 0)
        fallback[Int(root)] = root
        // Each state is the patterns from `low` to `high`, which share their first `depth` bytes.
        var ranges: [(low: Int32, high: Int32)] = [(0, Int32(sorted.count))]
        var depths: [Int32] = [0]
        var parents: [Int32] = [root]
        var next = 0
        while next < ranges.count {
            guard labels.count <= limit / Self.bytesOfState else { return nil }
            let state = root + Int32(next)
            let depth = Int(depths[next])
            var (low, high) = (Int(ranges[next].low), Int(ranges[next].high))
            if next > 0 { link(state, parent: parents[next], root: root) }
            // Patterns that end here come first.
            if low < high, sorted[low].text.count == depth {
                let first = low
                while low < high, sorted[low].text.count == depth { low += 1 }
                end(state, sorted[first..<low].map(\.report))
            }
            firstChild[Int(state)] = Int32(labels.count)
            var children = 0
            while low < high {
                let byte = sorted[low].text[depth]
                let first = low
                while low < high, sorted[low].text[depth] == byte { low += 1 }
                ranges.append((Int32(first), Int32(low)))
                depths.append(Int32(depth + 1))
                parents.append(state)
                append(label: byte)
                children += 1
            }
            childCount[Int(state)] = UInt8(children)
            high = low
            next += 1
        }
        return root
    }

    private mutating func append(label: UInt8) {
        labels.append(label)
        firstChild.append(0)
        childCount.append(0)
        fallback.append(0)
        ending.append(-1)
    }

    /// States of lesser depth are linked already, and have their children.
    private mutating func link(_ state: Int32, parent: Int32, root: Int32) {
        guard parent != root else {
            fallback[Int(state)] = root
            return
        }
        let target = step(fallback[Int(parent)], labels[Int(state)], root: root)
        fallback[Int(state)] = target
        ending[Int(state)] = ending[Int(target)]
    }

    private mutating func end(_ state: Int32, _ found: [Report]) {
        shorter.append(ending[Int(state)])
        ending[Int(state)] = Int32(shorter.count - 1)
        reports += found
        reportStart.append(Int32(reports.count))
    }
}
