internal import Events
internal import JSON

/// Tells which parts of a condition hold for an event, as written.
struct Reasons {
    let program: Program
    let event: EventView
    var scratch: MatchScratch

    mutating func tell(_ condition: Condition) -> [String] {
        if case .all(let parts) = condition, parts.isEmpty { return ["takes every event"] }
        return phrases(condition)
    }

    private mutating func phrases(_ condition: Condition) -> [String] {
        switch condition {
        case .all(let parts):
            var phrases: [String] = []
            for part in parts { phrases += self.phrases(part) }
            return phrases
        case .any(let parts):
            for part in parts where holds(part) { return phrases(part) }
            return [condition.phrase]
        case .not, .leaf:
            return [condition.phrase]
        }
    }

    private mutating func holds(_ condition: Condition) -> Bool {
        switch condition {
        case .all(let parts):
            for part in parts where !holds(part) { return false }
            return true
        case .any(let parts):
            for part in parts where holds(part) { return true }
            return false
        case .not(let part):
            return !holds(part)
        case .leaf(let leaf):
            guard let predicate = program.predicateOfLeaf[leaf.key] else { return false }
            return scratch.answer(predicate, program, event)
        }
    }
}
