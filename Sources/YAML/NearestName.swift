/// The name a person probably meant: the nearest by edit distance (Damerau-Levenshtein, adjacent swaps counted once),
/// without regard to case, hyphens, underscores and spaces; a name also matches the end of a dotted one
/// (`signin` → `visitor.signin`). Nil when nothing is near.
package func nearest(_ name: String, among candidates: some Sequence<String>) -> String? {
    let wanted = comparable(name)
    guard !wanted.isEmpty, wanted.count <= 100 else { return nil }
    var best: (candidate: String, distance: Int)?
    var ending: String?
    for candidate in candidates where candidate != name {
        let offered = comparable(candidate)
        let limit = min(3, max(wanted.count, offered.count) / 3)
        if let distance = editDistance(wanted, offered, limit: limit), distance < best?.distance ?? Int.max {
            best = (candidate, distance)
        }
        if ending == nil, offered.count > wanted.count + 1, wanted.count > 2,
            offered.suffix(wanted.count) == wanted[...],
            offered[offered.count - wanted.count - 1] == "."
        {
            ending = candidate
        }
    }
    return best?.candidate ?? ending
}

/// ` (did you mean x?)` where a name is near, else nothing: to be put behind what is wrong.
package func didYouMean(_ name: String, among candidates: some Sequence<String>) -> String {
    nearest(name, among: candidates).map { " (did you mean \(displayable($0))?)" } ?? ""
}

private func comparable(_ name: String) -> [Unicode.Scalar] {
    name.lowercased().unicodeScalars.filter { $0 != "_" && $0 != "-" && $0 != " " }
}

/// The optimal string alignment distance; nil when above the limit.
private func editDistance(_ one: [Unicode.Scalar], _ other: [Unicode.Scalar], limit: Int) -> Int? {
    guard abs(one.count - other.count) <= limit else { return nil }
    guard !one.isEmpty, !other.isEmpty else { return max(one.count, other.count) }
    var beforeLast: [Int] = []
    var last = Array(0...other.count)
    for i in 1...one.count {
        var row = [i]
        for j in 1...other.count {
            let substitution = last[j - 1] + (one[i - 1] == other[j - 1] ? 0 : 1)
            var cost = min(substitution, last[j] + 1, row[j - 1] + 1)
            if i > 1, j > 1, one[i - 1] == other[j - 2], one[i - 2] == other[j - 1] {
                cost = min(cost, beforeLast[j - 2] + 1)
            }
            row.append(cost)
        }
        guard (row.min() ?? 0) <= limit else { return nil }
        beforeLast = last
        last = row
    }
    return last[other.count] <= limit ? last[other.count] : nil
}
