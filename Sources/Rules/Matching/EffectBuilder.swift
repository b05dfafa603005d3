/// Decides for each condition how it is found, and lists what each fact leads to.
struct EffectBuilder {
    private(set) var conditions: ConditionInterning
    private(set) var defaults = DefaultSet()
    private(set) var residual: [Int32] = []
    private var pairs: [(fact: Int32, effect: Effect)] = []
    private var chooser: EvidenceChooser
    private let facts: FactTable
    private let paths: PathTable

    /// So many conditions with the same rest are worth a group of their own.
    private static let smallestGroup = 64

    init(_ conditions: ConditionInterning, _ paths: PathTable, _ facts: FactTable, _ likelihoods: Likelihoods) {
        self.conditions = conditions
        self.facts = facts
        self.paths = paths
        chooser = EvidenceChooser(conditions.table, paths, facts, likelihoods)
    }

    /// The negations of a condition, and what else it asks.
    private struct Split {
        /// Steps of `noFact` and `noFacts`.
        var negations: [Int] = []
        var rest: [Range<Int>] = []
    }

    mutating func build() {
        let count = Int32(conditions.table.count)
        var members: [Int32: [Int32]] = [:]
        var unconditional: [Int32] = []
        var single: [Int32] = []
        for condition in 0..<count where !conditions.routesOf[Int(condition)].isEmpty {
            let split = split(condition)
            if split.rest.isEmpty {
                unconditional.append(condition)
            } else if split.negations.isEmpty {
                single.append(condition)
            } else {
                members[conditions.intern(all: split.rest), default: []].append(condition)
            }
        }
        group(unconditional, rest: -1)
        // In the order of the conditions, so that the same rules always make the same plan.
        chooser = EvidenceChooser(conditions.table, chooser.paths, facts, chooser.likelihoods)
        for (rest, conditions) in members.sorted(by: { $0.key < $1.key }) {
            if conditions.count >= Self.smallestGroup {
                group(conditions, rest: rest)
            } else {
                single += conditions
            }
        }
        for condition in single.sorted() { find(condition) }
    }

    private mutating func find(_ condition: Int32) {
        let range = conditions.range(condition)
        let step = Step(raw: conditions.table.code[range.lowerBound])
        if step.operation == .fact, !conditions.table.isFallible[Int(condition)] {
            for route in conditions.routesOf[Int(condition)] { pairs.append((step.number, Effect(.route, route))) }
        } else if let evidence = chooser.choose(condition) {
            for fact in Set(evidence.facts).sorted() { pairs.append((fact, Effect(.condition, condition))) }
        } else {
            residual.append(condition)
        }
    }

    private mutating func group(_ members: [Int32], rest: Int32) {
        guard !members.isEmpty else { return }
        let number = Int32(defaults.groups.count)
        let first = Int32(defaults.bits.count)
        for condition in members {
            let slot = Int32(defaults.conditions.count)
            defaults.conditions.append(condition)
            for place in split(condition).negations { negate(place, slot) }
        }
        while defaults.conditions.count % 64 != 0 { defaults.conditions.append(-1) }
        for word in Int(first)..<defaults.conditions.count / 64 {
            var bits: UInt64 = 0
            for bit in 0..<64 where defaults.conditions[word * 64 + bit] >= 0 { bits |= 1 << UInt64(bit) }
            defaults.bits.append(bits)
        }
        defaults.groups.append(DefaultSet.Group(words: first..<Int32(defaults.bits.count), rest: rest))
        if rest >= 0, let evidence = chooser.choose(rest) {
            for fact in Set(evidence.facts).sorted() { pairs.append((fact, Effect(.group, number))) }
        } else {
            defaults.always.append(number)
        }
    }

    private mutating func negate(_ place: Int, _ slot: Int32) {
        let code = conditions.table.code
        let step = Step(raw: code[place])
        let negated = step.operation == .noFact ? [step.number] : Array(code[place + 1...place + Int(step.number)])
        for fact in negated {
            pairs.append((fact, Effect(.removal, slot)))
            if facts[fact].kind == .numberRange {
                pairs.append((paths[facts[fact].path].undecidable, Effect(.failure, slot)))
            }
        }
    }

    private func split(_ condition: Int32) -> Split {
        let code = conditions.table.code
        let range = conditions.range(condition)
        var split = Split()
        func take(_ place: Int) {
            let step = Step(raw: code[place])
            switch step.operation {
            case .noFact, .noFacts: split.negations.append(place)
            default: split.rest.append(place..<place + step.length)
            }
        }
        if Step(raw: code[range.lowerBound]).operation == .all {
            Step.parts(code, range.lowerBound, take)
        } else {
            take(range.lowerBound)
        }
        return split
    }

    // MARK: The tables

    func conditionTable() -> ConditionTable {
        var table = conditions.table
        table.residual = residual
        table.routeStart = [0]
        for routes in conditions.routesOf {
            table.routes += routes
            table.routeStart.append(UInt32(table.routes.count))
        }
        return table
    }

    /// What each fact leads to, its lists included.
    func effects(_ numbering: FactNumbering) -> EffectTable {
        var all: [(fact: Int32, effect: Effect)] = []
        for (list, members) in numbering.members.sorted(by: { $0.key < $1.key }) {
            for member in members { all.append((member, Effect(.fact, list))) }
        }
        // In the order in which they are followed.
        for kinds: [Effect.Kind] in [[.route, .condition, .group], [.removal], [.failure]] {
            for pair in pairs where kinds.contains(pair.effect.kind) { all.append(pair) }
        }
        let count = numbering.facts.count
        let words = defaults.bits.count
        var table = EffectTable()
        var removals = [UInt32](repeating: 0, count: count)
        for pair in all where pair.effect.kind == .removal { removals[Int(pair.fact)] += 1 }
        // A set of bits is cheaper to take away than a list of as many places as the set has words.
        let longestList = UInt32(max(64, words))
        var starts = [UInt32](repeating: 0, count: count + 1)
        for pair in all where !(pair.effect.kind == .removal && removals[Int(pair.fact)] > longestList) {
            starts[Int(pair.fact) + 1] += 1
        }
        for fact in 0..<count where removals[fact] > longestList { starts[fact + 1] += 1 }
        for fact in 0..<count { starts[fact + 1] += starts[fact] }
        var next = starts
        var sets: [Int32: Int] = [:]
        var effects = [Effect](repeating: Effect(.fact, 0), count: Int(starts[count]))
        for pair in all {
            let fact = Int(pair.fact)
            if pair.effect.kind == .removal, removals[fact] > longestList {
                if sets[pair.fact] == nil {
                    sets[pair.fact] = table.removalSets.count
                    effects[Int(next[fact])] = Effect(.removalSet, Int32(table.removalSets.count))
                    next[fact] += 1
                    table.removalSets.append(Array(repeating: UInt64.max, count: words))
                }
                let slot = Int(pair.effect.number)
                if let set = sets[pair.fact] { table.removalSets[set][slot / 64] &= ~(1 << UInt64(slot % 64)) }
            } else {
                effects[Int(next[fact])] = pair.effect
                next[fact] += 1
            }
        }
        table.start = starts
        table.effects = effects
        return table
    }
}
