/// The ranges of one path: finds those that hold a value, in the logarithm of their number for each.
///
/// Bounds are numbered: bound i is the coordinate 2i, what lies below it 2i - 1. Ranges stand in the order of their lower
/// ends, under a tree of the highest upper ends.
struct RangeIndex<Value: Comparable & Sendable>: Sendable {
    struct Bound {
        let value: Value
        let isIncluded: Bool
    }

    struct Entry {
        let lower: Bound?
        let upper: Bound?
        let report: TextAutomaton.Report
    }

    private let bounds: [Value]
    private let lowest: [Int32]
    /// A heap: the children of node i are 2i and 2i + 1; the leaves begin at `lowest.count`.
    private let highest: [Int32]
    private let reports: [TextAutomaton.Report]

    var memory: Int {
        bounds.capacity * MemoryLayout<Value>.stride + 4 * (lowest.capacity + highest.capacity + reports.capacity)
    }

    init(_ entries: [Entry]) {
        var bounds: [Value] = []
        for value in entries.flatMap({ [$0.lower?.value, $0.upper?.value] }).compactMap({ $0 }).sorted()
        where bounds.last != value { bounds.append(value) }
        let placed = entries.map { entry in
            (
                low: entry.lower.map { 2 * Self.place($0.value, bounds) + ($0.isIncluded ? 0 : 1) } ?? Int32.min,
                high: entry.upper.map { 2 * Self.place($0.value, bounds) - ($0.isIncluded ? 0 : 1) } ?? Int32.max,
                report: entry.report
            )
        }.sorted { $0.low < $1.low }
        self.bounds = bounds
        lowest = placed.map(\.low)
        reports = placed.map(\.report)
        let count = placed.count
        var highest = [Int32](repeating: Int32.min, count: 2 * count)
        for (index, entry) in placed.enumerated() { highest[count + index] = entry.high }
        for node in stride(from: count - 1, to: 0, by: -1) {
            highest[node] = max(highest[2 * node], highest[2 * node + 1])
        }
        self.highest = highest
    }

    /// Appends what is to be done for each range that holds the value.
    func find(_ value: Value, into found: inout [TextAutomaton.Report]) {
        let place = Self.place(value, bounds)
        let isBound = Int(place) < bounds.count && bounds[Int(place)] == value
        let coordinate = 2 * place - (isBound ? 0 : 1)
        var low = 0
        var high = lowest.count
        while low < high {
            let middle = (low + high) / 2
            if lowest[middle] <= coordinate { low = middle + 1 } else { high = middle }
        }
        let end = low
        // The nodes that together are the leaves from 0 to `end`, as in any tree without recursion.
        var (first, last) = (lowest.count, lowest.count + end)
        while first < last {
            if first & 1 == 1 {
                collect(first, coordinate, into: &found)
                first += 1
            }
            if last & 1 == 1 {
                last -= 1
                collect(last, coordinate, into: &found)
            }
            first /= 2
            last /= 2
        }
    }

    private func collect(_ node: Int, _ coordinate: Int32, into found: inout [TextAutomaton.Report]) {
        guard highest[node] >= coordinate else { return }
        if node >= lowest.count {
            found.append(reports[node - lowest.count])
        } else {
            collect(2 * node, coordinate, into: &found)
            collect(2 * node + 1, coordinate, into: &found)
        }
    }

    /// The place of the first bound that is not less.
    private static func place(_ value: Value, _ bounds: [Value]) -> Int32 {
        var low = 0
        var high = bounds.count
        while low < high {
            let middle = (low + high) / 2
            if bounds[middle] < value { low = middle + 1 } else { high = middle }
        }
        return Int32(low)
    }
}
