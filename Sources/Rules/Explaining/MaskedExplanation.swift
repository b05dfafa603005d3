extension Explanation {
    /// The explanation without what it tells of people: values of personal fields, and the rules' own words about them.
    package var masked: Explanation {
        Explanation(routes: routes.map(\.masked))
    }
}

private let mark = "***"

extension RouteExplanation {
    fileprivate var masked: RouteExplanation {
        var route = self
        route.scope = scope?.masked
        route.condition = condition.masked
        // The sentence quotes one of the questions.
        let quotes = outcome == .notTaken || outcome == .failed
        if quotes, [scope, condition].compactMap(\.self).contains(where: \.tellsOfPeople) { route.reason = mark }
        return route
    }
}

extension Finding {
    fileprivate var masked: Finding {
        var finding = self
        finding.part =
            switch part {
            case .all(let parts): .all(parts.map(\.masked))
            case .any(let parts): .any(parts.map(\.masked))
            case .not(let part): .not(part.masked)
            case .named(let name, let part): .named(name, part.masked)
            case .question(let question): .question(question.masked)
            }
        return finding
    }

    fileprivate var tellsOfPeople: Bool {
        switch part {
        case .all(let parts), .any(let parts): parts.contains(where: \.tellsOfPeople)
        case .not(let part), .named(_, let part): part.tellsOfPeople
        case .question(let question): question.tellsOfPeople
        }
    }
}

extension Question {
    /// A text that looks like an e-mail address is one, whatever field a sender put it in.
    fileprivate var tellsOfPeople: Bool { isPersonal || found?.contains("@") ?? false }

    fileprivate var masked: Question {
        guard tellsOfPeople else { return self }
        var question = self
        question.found = found.map { _ in mark }
        question.expected = mark
        question.notes = []
        return question
    }
}
