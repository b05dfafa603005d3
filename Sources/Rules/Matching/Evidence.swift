/// What must be found before a condition can hold, or fail to be decided: one of some facts. The cheapest such choice of
/// a condition is what its routes are found by.
struct Evidence {
    var facts: [Int32]
    var likelihood: Double

    /// Beyond so many facts a condition is not found by them.
    static let most = 20_000
}

struct EvidenceChooser {
    let code: [Int32]
    let start: [UInt32]
    let paths: PathTable
    let facts: FactTable
    let likelihoods: Likelihoods
    private var named: [Int32: Evidence?] = [:]

    init(
        _ conditions: ConditionTable, _ paths: PathTable, _ facts: FactTable, _ likelihoods: Likelihoods
    ) {
        code = conditions.code
        start = conditions.start
        self.paths = paths
        self.facts = facts
        self.likelihoods = likelihoods
    }

    mutating func choose(_ condition: Int32) -> Evidence? { choose(at: Int(start[Int(condition)])) }

    private mutating func choose(at place: Int) -> Evidence? {
        let step = Step(raw: code[place])
        switch step.operation {
        case .fact:
            return evidence(step.number)
        case .facts:
            var union = Evidence(facts: [], likelihood: 0)
            for fact in code[place + 1...place + Int(step.number)] {
                union.facts.append(fact)
                union.likelihood += likelihoods.facts[Int(fact)]
            }
            return union
        case .noFact, .noFacts, .inside, .outside, .notInside, .notOutside, .notNamed:
            return nil
        case .named:
            if let known = named[step.number] { return known }
            let found = choose(step.number)
            named[step.number] = .some(found)
            return found
        case .all:
            return cheapest(place, step)
        case .any:
            return union(place, step)
        }
    }

    private func evidence(_ fact: Int32) -> Evidence {
        var evidence = Evidence(facts: [fact], likelihood: likelihoods.facts[Int(fact)])
        // Where the number cannot be compared the condition does not simply fail.
        if facts[fact].kind == .numberRange { evidence.facts.append(paths[facts[fact].path].undecidable) }
        return evidence
    }

    private mutating func cheapest(_ place: Int, _ step: Step) -> Evidence? {
        var best: Evidence?
        var part = place + 1
        let end = part + Int(step.number)
        while part < end {
            if let found = choose(at: part), found.facts.count <= Evidence.most {
                if best.map({ found.likelihood < $0.likelihood }) ?? true { best = found }
            }
            part += Step(raw: code[part]).length
        }
        return best
    }

    private mutating func union(_ place: Int, _ step: Step) -> Evidence? {
        var union = Evidence(facts: [], likelihood: 0)
        var part = place + 1
        let end = part + Int(step.number)
        while part < end {
            guard let found = choose(at: part) else { return nil }
            union.facts += found.facts
            union.likelihood += found.likelihood
            guard union.facts.count <= Evidence.most else { return nil }
            part += Step(raw: code[part]).length
        }
        return union
    }
}
