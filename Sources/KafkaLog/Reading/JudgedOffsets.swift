/// Of one partition, the offsets of which it is known whether they are repeats: few runs, and few repeats in them.
struct JudgedOffsets {
    /// Apart from each other, rising.
    private(set) var runs: [Range<Int64>] = []
    private var repeats: Set<Int64> = []

    private static let maximumRuns = 256
    private static let maximumRepeats = 65_536

    /// Nil where it is not known.
    func isRepeat(_ offset: Int64) -> Bool? {
        let index = firstRun(endingAfter: offset)
        guard index < runs.count, runs[index].contains(offset) else { return nil }
        return repeats.contains(offset)
    }

    /// - Parameter run: not empty; its last offset is the one that is judged, and the others have no record.
    mutating func insert(_ run: Range<Int64>, isRepeat: Bool) {
        if isRepeat { repeats.insert(run.upperBound - 1) }
        var index = firstRun(endingAfter: run.lowerBound - 1)
        var merged = run
        while index < runs.count, runs[index].lowerBound <= merged.upperBound {
            merged = min(merged.lowerBound, runs[index].lowerBound)..<max(merged.upperBound, runs[index].upperBound)
            runs.remove(at: index)
        }
        index = firstRun(endingAfter: merged.lowerBound)
        runs.insert(merged, at: index)
        if runs.count > Self.maximumRuns { forget(before: runs[1].lowerBound) }
        if repeats.count > Self.maximumRepeats { forget(before: repeats.sorted()[Self.maximumRepeats / 2]) }
    }

    private mutating func forget(before offset: Int64) {
        repeats = repeats.filter { $0 >= offset }
        runs = runs.compactMap { run in
            run.upperBound <= offset ? nil : max(run.lowerBound, offset)..<run.upperBound
        }
    }

    /// The first run whose end is beyond `offset`.
    private func firstRun(endingAfter offset: Int64) -> Int {
        var (low, high) = (0, runs.count)
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].upperBound > offset { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
