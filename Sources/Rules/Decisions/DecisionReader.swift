internal import Events
internal import YAML

/// Reads the elements of `decisions:`.
struct DecisionReader {
    let owner: Owner
    let environment: RuleEnvironment
    let conditions: ConditionReader

    static let rulings = ["admit", "review", "deny", "ask"]
    static let longestTimeout = Duration.seconds(30)

    /// - Returns: the decision, nil when anything in it is wrong, and its name where it could be read.
    func decision(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> (decision: Decision?, name: YAMLNode?) {
        var found = Diagnostics()
        defer { diagnostics.merge(found) }
        guard var reader = MappingReader(node, "a decision", &found) else { return (nil, nil) }
        let nameNode = reader.required("name", &found)
        if let nameNode { _ = owner.isName(nameNode, "a decision's name", &found) }
        let description = reader.optional("description")?.string(&found)
        let isEnabled = reader.optional("enabled").flatMap { $0.boolean(&found) } ?? true
        let condition = reader.optional("when").map { conditions.when($0, &found) } ?? .all([])
        let entries = Self.rulings.compactMap { reader.entry($0) }
        reader.finish(&found)
        guard entries.count == 1 else {
            let message =
                entries.isEmpty
                ? "a decision needs one of `admit:`, `review:`, `deny:` and `ask:`"
                : "a decision takes one of `admit:`, `review:`, `deny:` and `ask:`, not \(entries.count)"
            found.error(at: entries.last?.key.location ?? node.location, message)
            return (nil, nameNode)
        }
        let ruling = ruling(entries[0], &found)
        guard !found.hasErrors, let name = nameNode?.scalar?.text, let condition, let ruling else {
            return (nil, nameNode)
        }
        let decision = Decision(
            name: owner.qualified(name), team: owner.team?.name, description: description, isEnabled: isEnabled,
            ruling: ruling, location: node.location, scope: owner.team?.scope, condition: condition)
        return (decision, nameNode)
    }

    private func ruling(_ entry: YAMLEntry, _ diagnostics: inout Diagnostics) -> Decision.Ruling? {
        guard let outcome = DecisionOutcome(rawValue: entry.name) else {
            return question(entry.value, &diagnostics).map { .ask($0) }
        }
        return answer(outcome, entry.value, &diagnostics).map { .answer($0) }
    }

    // MARK: Answers

    /// A message by itself, what people are told by its keys, or nothing.
    private func answer(
        _ outcome: DecisionOutcome, _ node: YAMLNode, _ diagnostics: inout Diagnostics
    ) -> DecisionAnswer? {
        var answer = DecisionAnswer(outcome)
        if node.isNull { return answer }
        if node.scalar != nil {
            guard outcome != .admit else {
                diagnostics.error(
                    at: node.location,
                    "who is admitted gets notes, not a message: admit: {visitor_notes: …, admin_notes: …}")
                return nil
            }
            answer.message = DecisionText(node, &diagnostics)
            return answer.message == nil ? nil : answer
        }
        guard var reader = MappingReader(node, "`\(outcome.rawValue):`", &diagnostics) else { return nil }
        var found = Diagnostics()
        defer { diagnostics.merge(found) }
        if outcome != .admit { answer.message = reader.optional("message").flatMap { DecisionText($0, &found) } }
        answer.adminNotes = reader.optional("admin_notes").flatMap { DecisionText($0, &found) }
        if outcome == .admit {
            answer.visitorNotes = reader.optional("visitor_notes").flatMap { DecisionText($0, &found) }
        }
        reader.finish(&found)
        return found.hasErrors ? nil : answer
    }

    // MARK: Questions

    private func question(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> DecisionQuestion? {
        guard var reader = MappingReader(node, "`ask:`", &diagnostics) else { return nil }
        let targetNode = reader.required("target", &diagnostics)
        let timeoutNode = reader.optional("timeout")
        let failureEntry = reader.entry("on_failure")
        reader.finish(&diagnostics)
        let target = targetNode.flatMap { node in
            TargetNames(owner: owner, environment: environment).read([node], at: node.location, &diagnostics)?.first
        }
        if let target, let askable = environment.askableTargets, !askable.contains(target), let targetNode {
            diagnostics.error(
                at: targetNode.location,
                "\(displayable(target)) cannot be asked: it is no enabled target of type http or webhook")
            return nil
        }
        let timeout = timeoutNode?.duration(in: .milliseconds(1)...Self.longestTimeout, &diagnostics)
        let failure = failureEntry.map { self.failure($0.value, &diagnostics) } ?? DecisionAnswer(.deny)
        guard let target, let failure, timeoutNode == nil || timeout != nil else { return nil }
        return DecisionQuestion(target: target, timeout: timeout, failure: failure)
    }

    /// `deny`, or an outcome with what people are told: `{deny: "…"}`.
    private func failure(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> DecisionAnswer? {
        guard let entries = node.entries else {
            return node.choice(of: DecisionOutcome.allCases.map(\.rawValue), &diagnostics)
                .flatMap(DecisionOutcome.init).map { DecisionAnswer($0) }
        }
        guard entries.count == 1, let outcome = DecisionOutcome(rawValue: entries[0].name) else {
            diagnostics.error(at: node.location, "`on_failure:` takes one of admit, review and deny")
            return nil
        }
        return self.answer(outcome, entries[0].value, &diagnostics)
    }
}
