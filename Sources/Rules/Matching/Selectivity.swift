internal import Events

/// Guesses how often a condition holds, to choose the access key of each route and what to look at first.
struct Selectivity {
    /// How likely one value of a path is, at most.
    private let likelihoodOfValue: [Double]

    /// What a route is found by: it can match only an event that has one of these values.
    struct Access {
        var literals: [Int32]
        var likelihood: Double
    }

    init(paths: [Program.Path], literals: LiteralTable) {
        var distinct = [Int](repeating: 0, count: paths.count)
        for literal in 0..<Int32(literals.count) { distinct[Int(literals.path(of: literal))] += 1 }
        likelihoodOfValue = zip(paths, distinct).map { path, count in
            min(Self.usual(path.path), 1 / Double(max(count, 1)))
        }
    }

    /// Before anything is known of the rules.
    private static func usual(_ path: FieldPath) -> Double {
        switch path {
        case .event: 0.2
        case .entry: 0.05
        case .field(let field):
            switch field {
            case .vendor: 0.3
            case .source: 0.2
            case .siteKey, .siteID, .siteName, .siteExternalID: 0.02
            case .groupID, .groupName: 0.1
            default:
                switch field.kind {
                case .boolean: 0.5
                case .identifier, .identifiers, .timestamp: 0.001
                default: 0.05
                }
            }
        }
    }

    func access(_ condition: Condition, _ builder: PlanBuilder) -> Access? {
        switch condition {
        case .leaf(let leaf):
            guard case .equals = leaf.test, let predicate = builder.predicate(of: leaf) else { return nil }
            let literals = builder.literalNumbers(predicate)
            return Access(literals: literals, likelihood: likelihood(of: literals, builder))
        case .not:
            return nil
        case .all(let parts):
            return parts.compactMap { access($0, builder) }.min { $0.likelihood < $1.likelihood }
        case .any(let parts):
            var union = Access(literals: [], likelihood: 0)
            for part in parts {
                guard let access = access(part, builder) else { return nil }
                union.literals += access.literals
                union.likelihood += access.likelihood
            }
            return union
        }
    }

    /// How likely the condition holds, from 0 to 1.
    func likelihood(_ condition: Condition, _ builder: PlanBuilder) -> Double {
        switch condition {
        case .leaf(let leaf):
            guard case .equals = leaf.test, let predicate = builder.predicate(of: leaf) else { return 0.5 }
            return min(1, likelihood(of: builder.literalNumbers(predicate), builder))
        case .not(let part):
            return 1 - likelihood(part, builder)
        case .all(let parts):
            return parts.reduce(1) { $0 * likelihood($1, builder) }
        case .any(let parts):
            return min(1, parts.reduce(0) { $0 + likelihood($1, builder) })
        }
    }

    private func likelihood(of literals: [Int32], _ builder: PlanBuilder) -> Double {
        literals.reduce(0) { $0 + likelihoodOfValue[Int(builder.literals.path(of: $1))] }
    }
}
