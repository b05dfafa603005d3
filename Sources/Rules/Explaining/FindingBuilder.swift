internal import Events
internal import JSON
internal import TimeZones
internal import YAML

/// Asks a condition of an event part by part, and keeps what each part said.
struct FindingBuilder: Sendable {
    let evaluator: PlainEvaluator
    let zones: EventZones
    /// The names of fields that events had; nil where nobody kept them.
    let seenKeys: SeenKeys?

    func finding(_ condition: Condition, _ event: EventView) -> Finding {
        let part: Finding.Part
        switch condition {
        case .all(let parts): part = .all(parts.map { finding($0, event) })
        case .any(let parts): part = .any(parts.map { finding($0, event) })
        case .named(let named): part = .named(named.name, finding(named.condition, event))
        case .not(.leaf(let leaf)): part = .question(question(leaf, isNegated: true, event))
        case .not(let inner): part = .not(finding(inner, event))
        case .leaf(let leaf): part = .question(question(leaf, isNegated: false, event))
        }
        return Finding(part: part, answer: evaluator.verdict(of: condition, event).answer)
    }

    private func question(_ leaf: Leaf, isNegated: Bool, _ event: EventView) -> Question {
        let values = FieldValues(leaf.path, of: event)
        return Question(
            field: leaf.name, isPersonal: leaf.path.isPersonal, expected: leaf.phrase(negated: isNegated),
            found: values.shown, state: values.state,
            notes: notes(leaf, values, event), location: leaf.location)
    }

    // MARK: What else helps

    private func notes(_ leaf: Leaf, _ values: FieldValues, _ event: EventView) -> [String] {
        var notes: [String] = []
        if let hint = keyHint(leaf, values, event) { notes.append(hint) }
        if case .undecidable(let reason) = evaluator.outcome(of: leaf, event) {
            notes.append(reason.sentence)
        } else if let wanted = mismatch(leaf.test, values) {
            notes.append("that is not \(wanted)")
        }
        if case .calendar(let calendar, _) = leaf.test, let clock = clock(calendar, values, event) {
            notes.append(clock)
        }
        return notes
    }

    /// The name that was probably meant, of this event's own names or of those that events had.
    private func keyHint(_ leaf: Leaf, _ values: FieldValues, _ event: EventView) -> String? {
        guard values.place == nil, case .entry(let field, let key) = leaf.path else { return nil }
        let name = String(decoding: key, as: UTF8.self)
        let own = event.value(field).map { event.tape.members($0).compactMap { event.tape.text($0.key) } } ?? []
        if let near = nearest(name, among: own) { return "the event has `\(displayable(near))` in \(field.path)" }
        return seenKeys?.hint(for: name, in: field)
    }

    /// What the question compares, where the event has a value that is none.
    private func mismatch(_ test: Leaf.Test, _ values: FieldValues) -> String? {
        guard values.state != .absent, values.state != .null, values.state != .empty else { return nil }
        switch test {
        case .state: return nil
        case .equals: return values.keys(exactly: false).isEmpty ? values.kind.noun : nil
        case .text, .matches, .listed: return values.texts.isEmpty ? "a text" : nil
        case .number: return values.numbers?.isEmpty ?? false ? "a number" : nil
        case .moment, .calendar: return values.moments.isEmpty ? "a time with its zone" : nil
        case .network: return values.addresses.isEmpty ? "an IP address" : nil
        }
    }

    /// What the clocks showed, in the words of a calendar.
    private func clock(_ calendar: RuleCalendar, _ values: FieldValues, _ event: EventView) -> String? {
        guard let time = values.moments.first, let zone = zones.zone(of: calendar, for: event) else { return nil }
        let clock = zone.clock(at: time)
        return "its clocks showed \(RuleCalendar.phrase(clock))"
    }
}
