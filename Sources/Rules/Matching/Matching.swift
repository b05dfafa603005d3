internal import Events
internal import JSON

/// Matching one event against a program.
extension MatchState {
    /// Leaves the routes that take the event in `matched`, ascending, and those that could not be decided in `failed`.
    mutating func run(_ program: Program, _ event: EventView) {
        begin(program)
        for path in program.paths.alwaysRead {
            if let place = place(path, program, event) { lookUpAlways(path, at: place, program, event) }
        }
        for root in program.paths.alwaysWalked { walk(root, program, event) }
        findTexts(program)
        followFound(program, event)
        for group in program.defaults.always { activate(group, program, event) }
        for condition in program.conditions.residual { verify(condition, program, event) }
        if !activeGroups.isEmpty { takeDefaults(program, event) }
        sort(program)
    }

    /// What is found here leads no further: the facts that do are all found already.
    private mutating func followFound(_ program: Program, _ event: EventView) {
        for fact in found {
            let effects = program.effects.of(fact)
            follow: for place in effects {
                let effect = program.effects.effects[place]
                switch effect.kind {
                case .fact: break
                case .route:
                    matched.append(effect.number)
                    work += 1
                case .condition: verify(effect.number, program, event)
                case .group: activate(effect.number, program, event)
                case .removal, .removalSet, .failure:
                    removals.append(place..<effects.upperBound)
                    break follow
                }
            }
        }
    }

    // MARK: Conditions

    /// Takes the condition's routes if it holds; once for an event.
    private mutating func verify(_ condition: Int32, _ program: Program, _ event: EventView) {
        guard verified[Int(condition)] != generation else { return }
        verified[Int(condition)] = generation
        work += 1
        let start = Int(program.conditions.start[Int(condition)])
        guard program.conditions.isFallible[Int(condition)] else {
            if holds(start, program, event) { take(condition, program) }
            return
        }
        switch decide(condition, program, event) {
        case .fails: break
        case .holds: take(condition, program)
        case .undecidable: fail(condition, program)
        }
    }

    /// With any part undecidable nothing holds, but what fails anyhow still fails.
    private mutating func decide(_ condition: Int32, _ program: Program, _ event: EventView) -> Truth {
        let range = program.conditions.range(of: condition)
        let truth = self.truth(range.lowerBound, program, event)
        return truth == .holds && hasUndecidable(range, program, event) ? .undecidable : truth
    }

    private mutating func take(_ condition: Int32, _ program: Program) {
        let end = Int(program.conditions.routeStart[Int(condition) + 1])
        for place in Int(program.conditions.routeStart[Int(condition)])..<end {
            matched.append(program.conditions.routes[place])
        }
    }

    private mutating func fail(_ condition: Int32, _ program: Program) {
        let end = Int(program.conditions.routeStart[Int(condition) + 1])
        for place in Int(program.conditions.routeStart[Int(condition)])..<end {
            failed.append(program.conditions.routes[place])
        }
    }

    // MARK: The default set

    private mutating func activate(_ group: Int32, _ program: Program, _ event: EventView) {
        guard groups[Int(group)] != generation else { return }
        groups[Int(group)] = generation
        let rest = program.defaults.groups[Int(group)].rest
        let truth = rest < 0 ? .holds : decide(rest, program, event)
        if truth != .fails { activeGroups.append((group, truth)) }
    }

    /// Whatever was not taken away.
    private mutating func takeDefaults(_ program: Program, _ event: EventView) {
        let defaults = program.defaults
        for word in bits.indices { bits[word] = defaults.bits[word] }
        work += bits.count
        var failures: [Int32] = []
        for place in removals.joined() {
            let effect = program.effects.effects[place]
            let number = Int(effect.number)
            switch effect.kind {
            case .removal:
                bits[number >> 6] &= ~(1 << UInt64(number & 63))
                work += 1
            case .removalSet:
                let set = program.effects.removalSets[number]
                for word in bits.indices { bits[word] &= set[word] }
                work += bits.count
            default: failures.append(effect.number)
            }
        }
        for slot in failures { fail(slot: Int(slot), program) }
        for active in activeGroups {
            for word in defaults.groups[Int(active.group)].words {
                take(word: Int(word), active.truth == .holds, program)
            }
        }
    }

    private mutating func take(word: Int, _ isDecided: Bool, _ program: Program) {
        var left = bits[word]
        while left != 0 {
            let condition = program.defaults.conditions[word << 6 | left.trailingZeroBitCount]
            if isDecided { take(condition, program) } else { fail(condition, program) }
            left &= left - 1
        }
    }

    private mutating func fail(slot: Int, _ program: Program) {
        let bit: UInt64 = 1 << UInt64(slot & 63)
        guard bits[slot >> 6] & bit != 0 else { return }
        bits[slot >> 6] &= ~bit
        let isActive = activeGroups.contains { program.defaults.groups[Int($0.group)].words.contains(Int32(slot >> 6)) }
        if isActive { fail(program.defaults.conditions[slot], program) }
    }

    // MARK: Order

    private mutating func sort(_ program: Program) {
        if failed.count > 1 { failed.sort() }
        var isAscending = true
        var last: Int32 = -1
        for route in matched {
            if route < last { isAscending = false }
            last = route
        }
        guard !isAscending else { return }
        // Sorting costs more than reading all bits from so many on.
        guard matched.count * 8 > routeBits.count else {
            matched.sort()
            return
        }
        for route in matched { routeBits[Int(route) >> 6] |= 1 << UInt64(route & 63) }
        matched.removeAll(keepingCapacity: true)
        for word in routeBits.indices where routeBits[word] != 0 {
            var left = routeBits[word]
            routeBits[word] = 0
            while left != 0 {
                matched.append(Int32(word << 6 | left.trailingZeroBitCount))
                left &= left - 1
            }
        }
    }
}
