internal import Events

/// Proves from the values in rules alone that every event that meets some demands meets a condition.
struct Implication {
    private let byPath: [FieldPath: [Demand]]

    init(_ demands: [Demand]) {
        byPath = Dictionary(grouping: demands, by: \.leaf.path)
    }

    /// - Parameter steps: what is left of the work allowed; each question about a field takes one.
    func proves(_ condition: Condition, _ steps: inout Int) -> Bool {
        proves(condition, isNegated: false, &steps)
    }

    private func proves(_ condition: Condition, isNegated: Bool, _ steps: inout Int) -> Bool {
        guard steps > 0 else { return false }
        switch condition {
        case .leaf(let leaf):
            steps -= 1
            return isNegated ? disproves(leaf) : proves(leaf)
        case .not(let part): return proves(part, isNegated: !isNegated, &steps)
        case .named(let named): return proves(named.condition, isNegated: isNegated, &steps)
        case .all(let parts): return isNegated ? any(parts, isNegated, &steps) : all(parts, isNegated, &steps)
        case .any(let parts): return isNegated ? all(parts, isNegated, &steps) : any(parts, isNegated, &steps)
        }
    }

    private func all(_ parts: [Condition], _ isNegated: Bool, _ steps: inout Int) -> Bool {
        for part in parts where !proves(part, isNegated: isNegated, &steps) { return false }
        return true
    }

    private func any(_ parts: [Condition], _ isNegated: Bool, _ steps: inout Int) -> Bool {
        for part in parts where proves(part, isNegated: isNegated, &steps) { return true }
        return false
    }

    private func disproves(_ leaf: Leaf) -> Bool {
        guard let group = byPath[leaf.path] else { return false }
        return !Contradiction.canBeMet(group + [Demand(leaf: leaf, isNegated: false)])
    }

    private func proves(_ leaf: Leaf) -> Bool {
        guard let group = byPath[leaf.path] else { return false }
        if case .state = leaf.test {
            let held = Demand(leaf: leaf, isNegated: false).situations
            return group.reduce(into: Situations.all) { $0.formIntersection($1.situations) }.isSubset(of: held)
        }
        if group.contains(where: { !$0.isNegated && $0.leaf.test.implies(leaf.test) }) { return true }
        // A list may hold another value that meets the rest.
        guard !leaf.path.holdsLists else { return false }
        let wanted = group.filter { !$0.isNegated && !$0.isState }.map(\.leaf.test)
        guard let candidates = Contradiction.candidates(wanted) else { return false }
        return candidates.allSatisfy { candidate in
            leaf.test.holds(of: candidate) == true || wanted.contains { $0.holds(of: candidate) == false }
        }
    }
}

/// What about an event may keep a condition from being decided, and its route from matching.
enum Undecidable: Hashable {
    /// The event's own zone.
    case zone
    /// A number too large to be compared.
    case number(FieldPath)

    static func of(_ condition: Condition) -> Set<Undecidable> {
        var found: Set<Undecidable> = []
        collect(condition, &found)
        return found
    }

    private static func collect(_ condition: Condition, _ found: inout Set<Undecidable>) {
        switch condition {
        case .all(let parts), .any(let parts):
            for part in parts { collect(part, &found) }
        case .not(let part): collect(part, &found)
        case .named(let named): collect(named.condition, &found)
        case .leaf(let leaf):
            switch leaf.test {
            case .calendar(let calendar, _): if calendar.zone == nil { found.insert(.zone) }
            case .number: found.insert(.number(leaf.path))
            default: break
            }
        }
    }
}
