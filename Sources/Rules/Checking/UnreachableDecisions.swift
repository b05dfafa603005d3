/// Finds decisions that are never asked: one before them takes every visitor they would take. One that cannot be decided
/// of a visitor keeps those behind it from being asked as well.
struct UnreachableDecisions {
    /// A decision and the first of those before it that takes its visitors, by their places.
    struct Finding: Equatable {
        var decision: Int
        var before: Int
    }

    private(set) var findings: [Finding] = []
    /// Whether the work allowed was not enough.
    private(set) var isCut = false

    /// - Parameters:
    ///   - decisions: in the order they are asked.
    ///   - steps: questions about fields asked at most.
    init(_ decisions: [Decision], steps: Int = RedundantRoutes.mostSteps) {
        var steps = steps
        let conditions = decisions.map(\.wholeCondition)
        for (place, condition) in conditions.enumerated() where place > 0 {
            let possible = Alternatives(condition).all.filter { Contradiction.find(in: $0) == nil }
            guard !possible.isEmpty else { continue }
            let implications = possible.map { Implication($0) }
            let before = conditions[..<place].firstIndex { other in
                steps -= 1
                return implications.allSatisfy { $0.proves(other, &steps) }
            }
            guard steps > 0 else {
                isCut = true
                return
            }
            if let before { findings.append(Finding(decision: place, before: before)) }
        }
    }
}
