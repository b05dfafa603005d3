internal import Addresses
internal import Events

/// Proves from the values in rules alone that no event can meet several demands.
enum Contradiction {
    /// Demands of one field that cannot be met together, as few as tell it; nil when there is no proof.
    static func find(in demands: [Demand]) -> [Demand]? {
        var byPath: [FieldPath: [Demand]] = [:]
        for demand in demands { byPath[demand.leaf.path, default: []].append(demand) }
        // In the order written, so that the message does not change from run to run.
        for demand in demands {
            guard let group = byPath.removeValue(forKey: demand.leaf.path) else { continue }
            if !canBeMet(group) { return smallest(group) }
        }
        return nil
    }

    /// One of them by itself, two of them, or all.
    private static func smallest(_ group: [Demand]) -> [Demand] {
        if let one = group.first(where: { !canBeMet([$0]) }) { return [one] }
        let few = group.prefix(24)
        for (index, one) in few.enumerated() {
            for other in few.dropFirst(index + 1) where !canBeMet([one, other]) { return [one, other] }
        }
        return group
    }

    /// Whether some value of their field may meet demands of one field.
    static func canBeMet(_ group: [Demand]) -> Bool {
        guard let path = group.first?.leaf.path else { return true }
        var situations = Situations.all
        for demand in group { situations.formIntersection(demand.situations) }
        guard !situations.isEmpty else { return false }
        let values = group.filter { !$0.isState }
        let wanted = values.filter { !$0.isNegated }.map(\.leaf.test)
        let excluded = values.filter(\.isNegated).map(\.leaf.test)
        guard !wanted.isEmpty else { return true }
        // A list may hold one value and another.
        guard path.holdsLists else { return canBeMet(wanted, without: excluded, path) }
        return wanted.allSatisfy { canBeMet([$0], without: excluded, path) }
    }

    /// Whether one value may meet all these tests and none of those.
    private static func canBeMet(
        _ wanted: [Leaf.Test], without excluded: [Leaf.Test], _ path: FieldPath
    ) -> Bool {
        if let candidates = candidates(wanted) {
            return candidates.contains { candidate in
                wanted.allSatisfy { $0.holds(of: candidate) != false }
                    && excluded.allSatisfy { $0.holds(of: candidate) != true }
            }
        }
        for (index, one) in wanted.enumerated() {
            if one.isImpossible(on: path) || excluded.contains(where: { one.implies($0) }) { return false }
            if wanted.dropFirst(index + 1).contains(where: { one.excludes($0) }) { return false }
        }
        return true
    }

    /// The values an equality leaves; nil where there is none.
    static func candidates(_ wanted: [Leaf.Test]) -> [LiteralKey]? {
        for test in wanted {
            if case .equals(let literals, _) = test { return literals.flatMap(\.keys) }
        }
        return nil
    }
}

extension Leaf.Test {
    /// Whether no value at all can meet it.
    fileprivate func isImpossible(on path: FieldPath) -> Bool {
        switch self {
        case .text(let relation, let patterns): patterns.allSatisfy { relation.isImpossible($0) }
        case .number(let range): range.isEmpty
        case .moment(let range): range.isEmpty || (path == .time && !range.mayContainNow)
        case .calendar(let calendar, let inside): inside ? calendar.week.isEmpty : false
        default: false
        }
    }

    /// Whether no value can meet both.
    fileprivate func excludes(_ other: Leaf.Test) -> Bool {
        switch (self, other) {
        case (.text(let one, let ones), .text(let another, let others)):
            ones.allSatisfy { pattern in others.allSatisfy { one.excludes(pattern, another, $0) } }
        case (.number(let one), .number(let another)): one.excludes(another)
        case (.moment(let one), .moment(let another)): one.excludes(another)
        case (.network(let ones), .network(let others)):
            ones.allSatisfy { one in others.allSatisfy { !one.contains($0.base) && !$0.contains(one.base) } }
        case (.calendar(let one, let inside), .calendar(let another, let otherInside)):
            one.excludes(another, inside, otherInside)
        default: false
        }
    }

    /// Whether every value that meets this meets the other too.
    func implies(_ other: Leaf.Test) -> Bool {
        switch (self, other) {
        case (.text(let one, let ones), .text(let another, let others)):
            return ones.allSatisfy { pattern in others.contains { one.implies(pattern, another, $0) } }
        case (.matches(let ones), .matches(let others)): return ones.allSatisfy(others.contains)
        case (.listed(let ones), .listed(let others)):
            return ones.allSatisfy { one in others.contains { $0.digest == one.digest } }
        case (.number(let one), .number(let another)): return one.isInside(another)
        case (.moment(let one), .moment(let another)): return one.isInside(another)
        case (.network(let ones), .network(let others)):
            return ones.allSatisfy { one in
                others.contains { $0.contains(one.base) && $0.prefixLength <= one.prefixLength }
            }
        case (.calendar(let one, let inside), .calendar(let another, let otherInside)):
            return one.implies(another, inside, otherInside)
        case (.equals(let literals, _), _):
            return literals.flatMap(\.keys).allSatisfy { other.holds(of: $0) == true }
        default: return false
        }
    }
}
