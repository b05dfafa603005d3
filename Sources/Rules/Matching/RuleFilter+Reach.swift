internal import Events

extension RuleFilter {
    /// The events that a team may see.
    package init(scopeOf team: Team) {
        self.init(team.scope, at: team.location)
    }

    /// Whether the answer tells anything about people: it asks a personal field, or the sender's own payload.
    package var asksForPersonalData: Bool {
        plan.routes.contains { Self.asks($0.condition) }
    }

    private static func asks(_ condition: Condition) -> Bool {
        switch condition {
        case .all(let parts), .any(let parts): parts.contains(where: asks)
        case .not(let part): asks(part)
        case .named(let named): asks(named.condition)
        case .leaf(let leaf): leaf.path.isPersonal
        }
    }
}

extension FieldPath {
    /// Whether what stands there tells anything about people; of the sender's own payload nobody knows.
    var isPersonal: Bool {
        switch self {
        case .field(let field), .entry(let field, _): field.isPersonal
        case .pointer: true
        case .event, .time: false
        }
    }
}
