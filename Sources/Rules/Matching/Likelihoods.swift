internal import Events

/// Guesses how often a fact is true and a condition holds, to choose what each route is found by and what is looked at
/// first. Only the speed hangs on it.
struct Likelihoods {
    private(set) var facts: [Double]
    /// Of conditions with a name, by their number.
    private(set) var named: [Int32: Double] = [:]

    init(_ numbering: FactNumbering) {
        let table = numbering.facts
        var distinct = [Int](repeating: 0, count: numbering.paths.paths.count * Self.families)
        for fact in table.facts { distinct[Self.family(fact)] += 1 }
        facts = []
        facts.reserveCapacity(table.count)
        for fact in table.facts {
            let many = Double(distinct[Self.family(fact)])
            facts.append(Self.guess(fact, numbering.paths[fact.path], many, numbering))
        }
        for (list, members) in numbering.members {
            facts[Int(list)] = min(1, members.reduce(0) { $0 + facts[Int($1)] })
        }
    }

    private static let families = 4

    private static func family(_ fact: Fact) -> Int {
        let family =
            switch fact.kind {
            case .text, .exact, .number, .moment: 0
            case .prefix, .suffix, .domain, .domainEnding: 1
            case .contains, .glob, .expression: 2
            default: 3
            }
        return Int(fact.path) * families + family
    }

    private static func guess(
        _ fact: Fact, _ path: PathTable.Path, _ many: Double, _ numbering: FactNumbering
    ) -> Double {
        switch fact.kind {
        case .text, .exact, .number, .moment: min(usual(path), 1 / many)
        case .domain: min(0.1, 1 / many)
        case .prefix, .suffix, .domainEnding: fact.count < 2 ? 0.3 : min(0.15, 4 / many)
        case .contains: fact.count < 3 ? 0.4 : min(0.2, 8 / many)
        case .glob:
            (numbering.values.globs[Int(fact.start)].runs.map(\.count).max() ?? 0) < 3 ? 0.5 : min(0.25, 8 / many)
        case .expression: 0.6
        case .list: 0.1
        case .network: min(0.3, 4 / many)
        case .numberRange, .momentRange: 0.4
        case .undecidable: 0.001
        case .situation: Fact.situations[Int(fact.start)] == .other ? 0.7 : 0.05
        case .oneOf: 1
        }
    }

    /// Of one value, before anything is known of the rules.
    private static func usual(_ path: PathTable.Path) -> Double {
        switch path.place {
        case .event: 0.2
        case .time: 0.001
        case .personal, .additional, .original: 0.05
        case .field:
            switch path.field {
            case .vendor: 0.3
            case .source: 0.2
            case .siteKey, .siteID, .siteName, .siteExternalID: 0.02
            case .groupID, .groupName: 0.1
            default:
                switch path.kind {
                case .boolean: 0.5
                case .identifier, .identifiers, .timestamp: 0.001
                default: 0.05
                }
            }
        }
    }

    mutating func setNamed(_ condition: Int32, _ likelihood: Double) { named[condition] = likelihood }

    /// How likely the steps at this place hold, from 0 to 1.
    func of(_ code: [Int32], _ place: Int) -> Double {
        let step = Step(raw: code[place])
        switch step.operation {
        case .fact: return facts[Int(step.number)]
        case .noFact: return 1 - facts[Int(step.number)]
        case .facts: return min(1, sum(code, place, step))
        case .noFacts: return max(0, 1 - sum(code, place, step))
        case .inside, .outside, .notInside, .notOutside: return 0.5
        case .named: return (named[step.number] ?? 0.5)
        case .notNamed: return 1 - (named[step.number] ?? 0.5)
        case .all:
            var likelihood = 1.0
            Step.parts(code, place) { likelihood *= of(code, $0) }
            return likelihood
        case .any:
            var likelihood = 0.0
            Step.parts(code, place) { likelihood += of(code, $0) }
            return min(1, likelihood)
        }
    }

    private func sum(_ code: [Int32], _ place: Int, _ step: Step) -> Double {
        var sum = 0.0
        for fact in code[place + 1...place + Int(step.number)] { sum += facts[Int(fact)] }
        return sum
    }
}

extension Step {
    /// Calls with the place of each part of a block.
    @inline(__always)
    static func parts(_ code: [Int32], _ block: Int, _ body: (Int) -> Void) {
        var place = block + 1
        let end = place + Int(Step(raw: code[block]).number)
        while place < end {
            body(place)
            place += Step(raw: code[place]).length
        }
    }
}
