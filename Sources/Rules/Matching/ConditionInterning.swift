/// Distinct conditions, their parts in the order in which they are best looked at: least likely first in `all`.
struct ConditionInterning {
    private(set) var table = ConditionTable()
    /// By condition: the routes.
    private(set) var routesOf: [[Int32]] = []
    private var slots: [Int32] = []
    private let facts: FactTable

    init(_ facts: FactTable) { self.facts = facts }

    /// The number of the condition; made when there is none that is the same.
    /// - Parameter steps: as `ConditionNumbering` writes them.
    mutating func intern(_ steps: [Int32], _ likelihoods: Likelihoods) -> Int32 {
        let start = table.code.count
        write(steps, 0, likelihoods)
        return seal(start)
    }

    /// The number of the condition of these parts of another one.
    mutating func intern(all parts: [Range<Int>]) -> Int32 {
        let start = table.code.count
        if parts.count != 1 {
            table.code.append(Step(.all, Int32(parts.reduce(0) { $0 + $1.count })).raw)
        }
        for part in parts { for place in part { table.code.append(table.code[place]) } }
        return seal(start)
    }

    mutating func add(_ route: Int32, to condition: Int32) { routesOf[Int(condition)].append(route) }

    private mutating func write(_ steps: [Int32], _ place: Int, _ likelihoods: Likelihoods) {
        let step = Step(raw: steps[place])
        guard step.operation == .all || step.operation == .any else {
            table.code += steps[place..<place + step.length]
            return
        }
        table.code.append(steps[place])
        var parts: [(place: Int, rank: Double)] = []
        Step.parts(steps, place) { part in
            parts.append((part, step.operation == .all ? rank(steps, part, likelihoods) : 0))
        }
        if step.operation == .all { parts.sort { ($0.rank, $0.place) < ($1.rank, $1.place) } }
        for part in parts { write(steps, part.place, likelihoods) }
    }

    /// What is unlikely first, and what is costly last.
    private func rank(_ steps: [Int32], _ place: Int, _ likelihoods: Likelihoods) -> Double {
        let step = Step(raw: steps[place])
        var cost = 0.0
        switch step.operation {
        case .fact, .noFact:
            switch facts[step.number].kind {
            case .contains, .glob: cost = 0.3
            case .expression: cost = 1
            default: break
            }
        case .inside, .outside, .notInside, .notOutside: cost = 0.3
        case .all, .any, .named, .notNamed: cost = 0.2
        case .facts, .noFacts: break
        }
        return likelihoods.of(steps, place) + cost
    }

    // MARK: The table

    /// Makes the steps from `start` to the end a condition, or takes them back when it is known.
    private mutating func seal(_ start: Int) -> Int32 {
        if (table.count + 1) * 2 > slots.count { grow() }
        let end = table.code.count
        let mask = slots.count - 1
        var place = Int(truncatingIfNeeded: hash(start..<end)) & mask
        while slots[place] >= 0 {
            let known = range(slots[place])
            if known.count == end - start, table.code[known] == table.code[start..<end] {
                table.code.removeLast(end - start)
                return slots[place]
            }
            place = (place + 1) & mask
        }
        let number = Int32(table.count)
        slots[place] = number
        table.start.append(UInt32(end))
        table.isFallible.append(isFallible(start, end))
        routesOf.append([])
        return number
    }

    func range(_ condition: Int32) -> Range<Int> { table.range(of: condition) }

    private mutating func grow() {
        slots = Array(repeating: -1, count: max(16, slots.count * 2))
        let mask = slots.count - 1
        for number in 0..<Int32(table.count) {
            var place = Int(truncatingIfNeeded: hash(range(number))) & mask
            while slots[place] >= 0 { place = (place + 1) & mask }
            slots[place] = number
        }
    }

    private func hash(_ range: Range<Int>) -> UInt64 {
        var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
        for place in range {
            hash = (hash ^ UInt64(UInt32(bitPattern: table.code[place]))) &* 0x9FB2_1C65_1E98_DF25
            hash ^= hash >> 29
        }
        return hash
    }

    private func isFallible(_ start: Int, _ end: Int) -> Bool {
        var place = start
        while place < end {
            let step = Step(raw: table.code[place])
            switch step.operation {
            case .inside, .outside, .notInside, .notOutside: return true
            case .fact, .noFact: if facts[step.number].kind == .numberRange { return true }
            case .named, .notNamed: if table.isFallible[Int(step.number)] { return true }
            default: break
            }
            place += step.operation == .all || step.operation == .any ? 1 : step.length
        }
        return false
    }
}
