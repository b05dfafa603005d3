internal import Addresses
internal import Events
internal import YAML

/// A field that a rule asks about.
struct AskedField {
    let path: FieldPath
    /// As the rule names it: `visitor.email`, `personal "role"`.
    let name: String
    /// Of the key that asks.
    let location: SourceLocation

    init(_ path: FieldPath, _ name: String, _ entry: YAMLEntry) {
        self.path = path
        self.name = name
        location = entry.key.location
    }

    private init(path: FieldPath, name: String, location: SourceLocation) {
        self.path = path
        self.name = name
        self.location = location
    }

    /// The same field, asked by an operator.
    func asked(at location: SourceLocation) -> AskedField { AskedField(path: path, name: name, location: location) }

    func leaf(_ test: Leaf.Test) -> Condition {
        .leaf(Leaf(path: path, name: name, test: test, location: location))
    }
}

/// Reads what stands under a field.
extension ConditionReader {
    /// A scalar, a list, or operators, all of which must hold.
    func tests(_ value: YAMLNode, _ field: AskedField, _ diagnostics: inout Diagnostics) -> Condition? {
        guard var operators = value.entries else {
            if field.path == .time, let name = calendarName(value) {
                diagnostics.error(
                    at: value.location, "a calendar stands under within or outside",
                    didYouMean: "time: {within: \(name)}")
                return nil
            }
            return equality(value, field, exactly: false, &diagnostics)
        }
        guard !operators.isEmpty else {
            diagnostics.error(
                at: value.location, "\(field.name) says nothing; write a value or an operator, or remove it")
            return nil
        }
        var zone: YAMLNode?
        if field.path == .time {
            zone = operators.first { $0.name == "zone" }?.value
            operators.removeAll { $0.name == "zone" }
            if let zone, !operators.contains(where: { RuleOperator(rawValue: $0.name)?.subject == .calendars }) {
                diagnostics.error(at: zone.location, "`zone:` stands beside `within:` or `outside:`")
                return nil
            }
        }
        var parts: [Condition] = []
        for entry in operators {
            guard let operation = RuleOperator(rawValue: entry.name) else {
                reportUnknownOperator(entry, field, &diagnostics)
                continue
            }
            if let part = test(entry, operation, field, zone: zone, &diagnostics) { parts.append(part) }
        }
        return parts.count == operators.count ? .conjunction(parts) : nil
    }

    /// - Parameter zone: what stands beside it as `zone:`.
    func test(
        _ entry: YAMLEntry, _ operation: RuleOperator, _ field: AskedField, zone: YAMLNode? = nil,
        _ diagnostics: inout Diagnostics
    ) -> Condition? {
        guard operation.applies(to: field.path) else {
            reportMismatch(entry, operation, field, &diagnostics)
            return nil
        }
        if operation != .not, operation.subject != .calendars, entry.value.entries != nil {
            diagnostics.error(
                at: entry.value.location,
                "`\(entry.name):` takes a value or a list, found a mapping; only `not:` takes operators")
            return nil
        }
        let asked = field.asked(at: entry.key.location)
        switch operation {
        case .equals, .anyOf: return equality(entry.value, asked, exactly: false, &diagnostics)
        case .exactly: return equality(entry.value, asked, exactly: true, &diagnostics)
        case .not: return tests(entry.value, field, &diagnostics).map { .not($0) }
        case .is: return state(entry.value, asked, &diagnostics)
        case .startsWith, .endsWith, .contains, .like, .domain:
            guard let relation = TextRelation(rawValue: operation.rawValue) else { return nil }
            return PatternReader(operation: operation, field: asked, names: names).patterns(
                entry.value, relation, &diagnostics
            )
            .map { asked.leaf(.text(relation, $0)) }
        case .matches:
            return PatternReader(operation: operation, field: asked, names: names).expressions(
                entry.value, &diagnostics
            )
            .map { asked.leaf(.matches($0)) }
        case .cidr:
            return PatternReader(operation: operation, field: asked, names: names).networks(entry.value, &diagnostics)
                .map { asked.leaf(.network($0)) }
        case .inList: return lists(entry.value, &diagnostics).map { asked.leaf(.listed($0)) }
        case .above, .atLeast, .below, .atMost, .between:
            return RangeReader(operation: operation, field: asked).test(entry.value, &diagnostics).map(asked.leaf)
        case .within, .outside:
            return calendars(entry.value, isInside: operation == .within, zone: zone, asked, &diagnostics)
        }
    }

    private func equality(
        _ value: YAMLNode, _ field: AskedField, exactly: Bool, _ diagnostics: inout Diagnostics
    ) -> Condition? {
        let reader = LiteralReader(
            path: field.path, name: field.name, exactly: exactly, closed: closed[field.path])
        return reader.values(value, &diagnostics).map { field.leaf(.equals($0, exactly: exactly)) }
    }

    private func state(_ value: YAMLNode, _ field: AskedField, _ diagnostics: inout Diagnostics) -> Condition? {
        let elements = value.elements ?? [value]
        let words = FieldState.allCases.map(\.rawValue)
        var states: [FieldState] = []
        for element in elements {
            if element.isNull {
                let hint =
                    element.scalar?.text.isEmpty == false
                    ? "write is: \"null\" with quotes for the state null"
                    : "`is:` names no state; there are \(words.joined(separator: ", "))"
                diagnostics.error(at: element.location, hint)
            } else if let word = element.choice(of: words, &diagnostics), let state = FieldState(rawValue: word) {
                states.append(state)
            }
        }
        if elements.isEmpty {
            diagnostics.error(at: value.location, "an empty list takes no event; name a state, or remove `is:`")
        }
        guard states.count == elements.count, !states.isEmpty else { return nil }
        return field.leaf(.state(states))
    }

    /// One calendar or several: within one of them, or outside all of them.
    private func calendars(
        _ value: YAMLNode, isInside: Bool, zone: YAMLNode?, _ field: AskedField, _ diagnostics: inout Diagnostics
    ) -> Condition? {
        var isComplete = true
        var zoneName: String?
        if let zone {
            zoneName = CalendarReader.zone(zone, &diagnostics)
            isComplete = zoneName != nil
        }
        let elements = value.elements ?? [value]
        if elements.isEmpty {
            diagnostics.error(
                at: value.location, "an empty list; name a calendar, or remove `\(isInside ? "within" : "outside"):`")
        }
        var leaves: [Condition] = []
        for element in elements {
            guard var calendar = calendar(element, &diagnostics) else { continue }
            if let zoneName { calendar.zone = zoneName }
            leaves.append(field.leaf(.calendar(calendar, inside: isInside)))
        }
        guard isComplete, !leaves.isEmpty, leaves.count == elements.count else { return nil }
        return leaves.count == 1 ? leaves[0] : isInside ? .any(leaves) : .all(leaves)
    }

    /// One list or several, by their names.
    private func lists(_ value: YAMLNode, _ diagnostics: inout Diagnostics) -> [TextList]? {
        guard let names else {
            diagnostics.error(at: value.location, "there are no lists here; write the values themselves")
            return nil
        }
        let elements = value.elements ?? [value]
        if elements.isEmpty {
            diagnostics.error(at: value.location, "`in_list:` names no list; name one of `lists:`, or remove it")
            return nil
        }
        let lists = elements.compactMap { names.list($0, &diagnostics) }
        return lists.count == elements.count ? lists : nil
    }

    /// A text under `time:` that can only be meant as the name of a calendar.
    private func calendarName(_ value: YAMLNode) -> String? {
        guard let scalar = value.scalar, !scalar.isNull, let first = scalar.text.unicodeScalars.first,
            first.properties.isAlphabetic, !MomentReader.isMeant(scalar.text)
        else { return nil }
        return scalar.text
    }

    private func calendar(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> RuleCalendar? {
        if node.entries != nil { return CalendarReader.read(node, &diagnostics) }
        guard let names else {
            diagnostics.error(
                at: node.location,
                "there are no named calendars here; write the calendar itself, such as {days: mon-fri, from: \"08:00\", "
                    + "to: \"18:00\"}")
            return nil
        }
        return names.calendar(node, &diagnostics)
    }

    private func reportMismatch(
        _ entry: YAMLEntry, _ operation: RuleOperator, _ field: AskedField, _ diagnostics: inout Diagnostics
    ) {
        let fitting = RuleOperator.allCases.filter { $0.applies(to: field.path) }.map(\.rawValue)
        let what = field.path == .event ? "a text" : field.path.kind.noun
        diagnostics.error(
            at: entry.key.location,
            "`\(entry.name):` \(operation.subject.phrase), and \(field.name) is \(what); it takes "
                + fitting.joined(separator: ", "))
    }

    private func reportUnknownOperator(
        _ entry: YAMLEntry, _ field: AskedField, _ diagnostics: inout Diagnostics
    ) {
        let fitting = RuleOperator.allCases.filter { $0.applies(to: field.path) }.map(\.rawValue)
        let suggestion = nearest(entry.name, among: fitting)
        diagnostics.error(
            at: entry.key.location,
            "unknown operator `\(displayable(entry.name))` under \(field.name)"
                + (suggestion == nil ? "; it takes \(fitting.joined(separator: ", "))" : ""),
            didYouMean: suggestion)
    }
}
