internal import Events
internal import JSON

/// Matching one event against a plan.
extension MatchScratch {
    /// Leaves the routes that take the event in `matched`, ascending.
    mutating func run(_ program: Program, _ event: EventView) {
        begin(program)
        for path in program.accessPaths {
            follow(value(path, program, event), program, event)
        }
        for access in program.entryAccess {
            guard let map = event.value(access.field) else { continue }
            for (key, entry) in event.tape.members(map) {
                text.removeAll(keepingCapacity: true)
                event.tape.appendText(key, to: &text)
                guard let path = access.paths[text] else { continue }
                follow(read(path, at: entry, program, event.tape), program, event)
            }
        }
        for route in program.residual { verify(route, program, event) }
        matched.sort()
    }

    /// Verifies the routes that a path's values lead to.
    private mutating func follow(_ value: PathValue, _ program: Program, _ event: EventView) {
        for index in value.first..<value.end {
            let literal = Int(found[Int(index)])
            for posting in program.postingStarts[literal]..<program.postingStarts[literal + 1] {
                verify(program.postings[Int(posting)], program, event)
            }
        }
    }

    private mutating func verify(_ route: Int32, _ program: Program, _ event: EventView) {
        guard routes[Int(route)] != generation else { return }
        routes[Int(route)] = generation
        if holds(program.routes[Int(route)].root, program, event) { matched.append(route) }
    }

    private mutating func holds(_ node: Int32, _ program: Program, _ event: EventView) -> Bool {
        switch program.nodes[Int(node)] {
        case .predicate(let predicate):
            return answer(predicate, program, event)
        case .not(let part):
            return !holds(part, program, event)
        case .all(let first, let end):
            for child in first..<end where !holds(program.children[Int(child)], program, event) { return false }
            return true
        case .any(let first, let end):
            for child in first..<end where holds(program.children[Int(child)], program, event) { return true }
            return false
        }
    }

    /// A predicate's answer for this event, found once.
    mutating func answer(_ predicate: Int32, _ program: Program, _ event: EventView) -> Bool {
        let known = predicates[Int(predicate)]
        if known >> 1 == generation { return known & 1 == 1 }
        let holds = evaluate(program.predicates[Int(predicate)], program, event)
        predicates[Int(predicate)] = generation << 1 | (holds ? 1 : 0)
        return holds
    }

    private mutating func evaluate(_ predicate: Program.Predicate, _ program: Program, _ event: EventView) -> Bool {
        switch predicate {
        case .situation(let path, let situations):
            return situations.contains(value(path, program, event).situation)
        case .equals(let path, let literal):
            let value = value(path, program, event)
            for index in value.first..<value.end where found[Int(index)] == literal { return true }
            return false
        case .equalsAny(let path, let literals):
            let value = value(path, program, event)
            for index in value.first..<value.end where Self.contains(literals, found[Int(index)]) { return true }
            return false
        }
    }

    private static func contains(_ ascending: [Int32], _ literal: Int32) -> Bool {
        var low = 0
        var high = ascending.count
        while low < high {
            let middle = (low + high) / 2
            if ascending[middle] < literal { low = middle + 1 } else { high = middle }
        }
        return low < ascending.count && ascending[low] == literal
    }
}
