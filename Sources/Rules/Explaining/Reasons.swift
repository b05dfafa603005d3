/// Tells which parts of a condition hold for an event, as written.
struct Reasons {
    /// Whether a part holds for the event.
    let holds: (Condition) -> Bool

    func tell(_ condition: Condition) -> [String] {
        if case .all(let parts) = condition, parts.isEmpty { return ["takes every event"] }
        return phrases(condition)
    }

    private func phrases(_ condition: Condition) -> [String] {
        switch condition {
        case .all(let parts):
            return parts.flatMap { phrases($0) }
        case .any(let parts):
            for part in parts where holds(part) { return phrases(part) }
            return [condition.phrase]
        case .named(let named):
            return phrases(named.condition)
        case .not, .leaf:
            return [condition.phrase]
        }
    }
}
