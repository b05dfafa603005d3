internal import YAML

/// The conditions, calendars and lists that the files of one owner give names to, found by their names whatever file or order
/// they stand in.
final class RuleNames {
    /// A condition on its way from text to meaning.
    private enum State {
        case unread(YAMLEntry)
        case reading
        case read(NamedCondition)
        /// It has an error, which was reported.
        case wrong
    }

    let owner: Owner
    let closed: [FieldPath: ClosedValues]
    private var places: [String: SourceLocation] = [:]
    private var order: [String] = []
    private var states: [String: State] = [:]
    /// Those being read, each for the one before it.
    private var path: [String] = []
    /// The blocks that are open.
    private var depth = 0
    private var calendars: [String: RuleCalendar] = [:]
    private var calendarPlaces: [String: SourceLocation] = [:]

    private var lists: [String: TextList] = [:]
    private var listPlaces: [String: SourceLocation] = [:]
    /// The files that lists were read from, in order.
    private(set) var listSources: [ListSource] = []
    private let listReader: ListReader

    private var expressions: [String: RegularExpression] = [:]

    private static let most = 10_000

    init(owner: Owner, environment: RuleEnvironment, lists: [String: [UInt8]]?) {
        self.owner = owner
        listReader = ListReader(owner: owner, environment: environment, kept: lists)
        closed = ClosedValues.table(environment)
    }

    // MARK: Collecting

    /// Takes up `conditions:` of one file; they are read once all files are known.
    func collectConditions(_ node: YAMLNode, _ diagnostics: inout Diagnostics) {
        for entry in node.mapping("`conditions:`", &diagnostics) ?? [] {
            guard isNew(entry, "condition", places, &diagnostics) else { continue }
            places[entry.name] = entry.key.location
            order.append(entry.name)
            states[entry.name] = .unread(entry)
        }
    }

    /// Reads `calendars:` of one file.
    func collectCalendars(_ node: YAMLNode, _ diagnostics: inout Diagnostics) {
        for entry in node.mapping("`calendars:`", &diagnostics) ?? [] {
            guard isNew(entry, "calendar", calendarPlaces, &diagnostics) else { continue }
            calendarPlaces[entry.name] = entry.key.location
            guard var calendar = CalendarReader.read(entry.value, &diagnostics) else { continue }
            calendar.name = owner.qualified(entry.name)
            calendars[entry.name] = calendar
        }
    }

    /// Reads `lists:` of one file, and the files they name.
    func collectLists(_ node: YAMLNode, _ diagnostics: inout Diagnostics) {
        for entry in node.mapping("`lists:`", &diagnostics) ?? [] {
            guard isNew(entry, "list", listPlaces, &diagnostics) else { continue }
            listPlaces[entry.name] = entry.key.location
            var source: ListSource?
            lists[entry.name] = listReader.read(entry, source: &source, &diagnostics)
            if let source { listSources.append(source) }
        }
    }

    private func isNew(
        _ entry: YAMLEntry, _ what: String, _ known: [String: SourceLocation], _ diagnostics: inout Diagnostics
    ) -> Bool {
        guard owner.isName(entry.key, "a \(what)'s name", &diagnostics) else { return false }
        if let first = known[entry.name] {
            diagnostics.error(
                at: entry.key.location, "a \(what) called `\(displayable(entry.name))` is already at \(first)")
            return false
        }
        guard known.count < Self.most else {
            if known.count == Self.most {
                diagnostics.error(at: entry.key.location, "more than \(Self.most) \(what)s")
            }
            return false
        }
        return true
    }

    /// Reads what no route asked for too, so that its errors are told.
    func finish(_ diagnostics: inout Diagnostics) -> [NamedCondition] {
        order.compactMap { resolve($0, &diagnostics) }
    }

    // MARK: Looking up

    /// The condition a route names; nil, and an error unless one was given before, when there is none.
    func condition(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> Condition? {
        guard let name = node.name(&diagnostics) else { return nil }
        guard places[name] != nil else {
            report(name, "condition", order, at: node.location, &diagnostics)
            return nil
        }
        if let first = path.firstIndex(of: name) {
            let circle = (path[first...] + [name]).map { "`\(displayable($0))`" }.joined(separator: " → ")
            diagnostics.error(
                at: node.location, "the condition `\(displayable(name))` is made of itself: \(circle)")
            return nil
        }
        return resolve(name, &diagnostics).map(Condition.named)
    }

    private func resolve(_ name: String, _ diagnostics: inout Diagnostics) -> NamedCondition? {
        guard case .unread(let entry) = states[name] else {
            if case .read(let named) = states[name] { return named }
            return nil
        }
        states[name] = .reading
        path.append(name)
        defer { path.removeLast() }
        guard let condition = ConditionReader(names: self).named(entry, &diagnostics) else {
            states[name] = .wrong
            return nil
        }
        let named = NamedCondition(
            name: owner.qualified(name), condition: condition, location: entry.key.location)
        states[name] = .read(named)
        return named
    }

    /// The calendar a rule names; nil, and an error unless one was given before, when there is none.
    func calendar(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> RuleCalendar? {
        guard let name = node.name(&diagnostics) else { return nil }
        if calendarPlaces[name] == nil {
            report(name, "calendar", calendarPlaces.keys.sorted(), at: node.location, &diagnostics)
        }
        return calendars[name]
    }

    /// The list a rule names; nil, and an error unless one was given before, when there is none.
    func list(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> TextList? {
        guard let name = node.name(&diagnostics) else { return nil }
        if listPlaces[name] == nil {
            report(name, "list", listPlaces.keys.sorted(), at: node.location, &diagnostics)
        }
        return lists[name]
    }

    /// Before each block that is read: false when there are too many around it. A condition may name another deep inside,
    /// so the file's own bound is not enough for the stack.
    func enter() -> Bool {
        guard depth < ConditionSize.mostDepth else { return false }
        depth += 1
        return true
    }

    func leave() { depth -= 1 }

    /// One expression for all routes that write the same.
    func expression(_ pattern: String) throws(RegularExpressionError) -> RegularExpression {
        if let known = expressions[pattern] { return known }
        let expression = try RegularExpression(pattern)
        expressions[pattern] = expression
        return expression
    }

    private func report(
        _ name: String, _ what: String, _ known: [String], at location: SourceLocation,
        _ diagnostics: inout Diagnostics
    ) {
        let suggestion = nearest(name, among: known)
        var hint = ""
        if known.isEmpty {
            hint = "; no file has `\(what)s:`"
        } else if suggestion == nil, known.count <= 16 {
            hint = "; there are \(known.map { displayable($0) }.joined(separator: ", "))"
        }
        diagnostics.error(
            at: location, "no \(what) is called `\(displayable(name))`\(hint)", didYouMean: suggestion)
    }
}
