internal import Events
internal import JSON

/// Compiles routes to a program.
struct PlanBuilder {
    private var numbering: ConditionNumbering
    private var targets = TargetTable()
    private let targetNumbers: [String: Int32]
    /// The steps of all routes one after the other, and where each begins.
    private var steps: [Int32] = []
    private var starts: [Int] = [0]

    private init(_ targets: [String: Int32], _ zones: EventZones) {
        targetNumbers = targets
        numbering = ConditionNumbering(zones)
    }

    /// - Parameters:
    ///   - targets: the numbers of the targets.
    ///   - limit: of the program's memory, in bytes.
    static func build(
        _ routes: [Route], _ targets: [String: Int32], _ zones: EventZones, limit: Int
    ) throws(PlanTooLarge) -> Program {
        var builder = PlanBuilder(targets, zones)
        // What the routes up to each may take at most: nothing is known yet of what patterns have in common.
        var most: [Int] = []
        for route in routes {
            builder.add(route)
            most.append(builder.leastMemory + TextAutomaton.bytesOfState * builder.numbering.facts.patternBytes)
            guard builder.leastMemory <= limit else { throw PlanTooLarge(route, limit) }
        }
        // Nothing can be taken away from a plan without routes.
        let program = builder.program(routes.isEmpty ? Int.max : limit)
        if let program, routes.isEmpty || program.memory <= limit { return program }
        // The route at which it became too large, were all patterns to have as much in common as these.
        let share = program.map { Double($0.memory) / Double(max(most.last ?? 1, 1)) } ?? 1
        let place = most.firstIndex { Double($0) * share > Double(limit) } ?? routes.count - 1
        throw PlanTooLarge(routes[place], limit)
    }

    private mutating func add(_ route: Route) {
        let condition = route.wholeCondition
        numbering.encode(condition, into: &steps)
        starts.append(steps.count)
        targets.append(
            route.targets.compactMap { targetNumbers[$0] }, takesSystem: condition.demandsSystemEvent)
    }

    /// Nil when its indexes alone would take more bytes than the limit.
    private func program(_ limit: Int) -> Program? {
        let facts = numbering.facts
        var likelihoods = Likelihoods(facts)
        var interning = ConditionInterning(facts.facts)
        var names: [Int32] = []
        for steps in numbering.named {
            let number = interning.intern(Self.naming(steps[...], names), likelihoods)
            likelihoods.setNamed(number, likelihoods.of(interning.table.code, interning.range(number).lowerBound))
            names.append(number)
        }
        for route in 0..<starts.count - 1 {
            let number = interning.intern(Self.naming(steps[starts[route]..<starts[route + 1]], names), likelihoods)
            interning.add(Int32(route), to: number)
        }
        var effects = EffectBuilder(interning, facts.paths, facts.facts, likelihoods)
        effects.build()
        let table = effects.effects(facts)
        var indexes = IndexBuilder(facts, table)
        guard indexes.build(limit: limit) else { return nil }
        return Program(
            paths: indexes.paths, facts: indexes.facts, values: facts.values, indexes: indexes.indexes,
            effects: table, conditions: effects.conditionTable(), defaults: effects.defaults, targets: targets)
    }

    /// Steps that name conditions by the order of their names, with the conditions' numbers in their place.
    private static func naming(_ steps: ArraySlice<Int32>, _ names: [Int32]) -> [Int32] {
        var steps = Array(steps)
        guard !names.isEmpty else { return steps }
        var place = 0
        while place < steps.count {
            let step = Step(raw: steps[place])
            switch step.operation {
            case .named, .notNamed:
                steps[place] = Step(step.operation, names[Int(step.number)]).raw
                place += 1
            case .all, .any: place += 1
            default: place += step.length
            }
        }
        return steps
    }

    /// What is numbered so far will take at least this much, in bytes.
    private var leastMemory: Int {
        let facts = numbering.facts
        return 4 * steps.count + MemoryLayout<PathTable.Path>.stride * facts.paths.paths.count
            + (MemoryLayout<Fact>.stride + 16) * facts.facts.count + facts.facts.bytes.count
            + RuleValues.expressionBytes * facts.values.expressions.count
    }
}

extension Condition {
    /// Whether it can hold only for an event whose type one of its values names, and names such of our own.
    var demandsSystemEvent: Bool {
        switch self {
        case .all(let parts): parts.contains { $0.demandsSystemEvent }
        case .any(let parts): !parts.isEmpty && parts.allSatisfy { $0.demandsSystemEvent }
        case .named(let named): named.condition.demandsSystemEvent
        case .not: false
        case .leaf(let leaf):
            if case .equals(let literals, _) = leaf.test, leaf.path == .event {
                literals.flatMap(\.keys).contains { $0.isSystemEvent }
            } else {
                false
            }
        }
    }
}

extension LiteralKey {
    fileprivate var isSystemEvent: Bool {
        switch self {
        case .text(let text), .exact(let text): text.starts(with: "system.".utf8)
        case .number, .moment: false
        }
    }
}
