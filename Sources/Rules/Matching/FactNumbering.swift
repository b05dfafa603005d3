internal import Addresses
internal import Events
internal import JSON

/// Numbers paths and facts as conditions name them, each once.
struct FactNumbering {
    private(set) var paths = PathTable()
    private(set) var facts = FactTable()
    private(set) var values: RuleValues
    /// The facts of which a fact of kind `oneOf` is one, by its number.
    private(set) var members: [Int32: [Int32]] = [:]

    /// The bytes of all texts that an automaton may have to find.
    private(set) var patternBytes = 0

    private struct NumberKey: Hashable { let path: Int32; let range: NumberRange }
    private struct MomentKey: Hashable { let path: Int32; let range: MomentRange }
    private struct ExpressionKey: Hashable { let path: Int32; let pattern: String }
    private struct TextListKey: Hashable { let path: Int32; let digest: String }
    private struct GlobKey: Hashable { let path: Int32; let folded: [UInt8] }
    private struct ListKey: Hashable { let facts: [Int32] }

    private var fieldPaths = [Int32](repeating: -1, count: EventField.allCases.count)
    private var otherPaths: [FieldPath: Int32] = [:]
    private var numberFacts: [NumberKey: Int32] = [:]
    private var momentFacts: [MomentKey: Int32] = [:]
    private var expressionFacts: [ExpressionKey: Int32] = [:]
    private var textListFacts: [TextListKey: Int32] = [:]
    private var globFacts: [GlobKey: Int32] = [:]
    private var listFacts: [ListKey: Int32] = [:]
    private var calendarNumbers: [RuleCalendar: Int32] = [:]

    /// Lists longer than this become one fact.
    private static let longestList = 4

    init(_ zones: EventZones) { values = RuleValues(zones: zones) }

    // MARK: Paths

    mutating func path(_ path: FieldPath) -> Int32 {
        if case .field(let field) = path {
            let known = fieldPaths[Int(field.rawValue)]
            if known >= 0 { return known }
            let number = append(.field, field, field.kind)
            fieldPaths[Int(field.rawValue)] = number
            return number
        }
        if let known = otherPaths[path] { return known }
        let number: Int32
        switch path {
        case .event: number = append(.event, .vendor, .text)
        case .time: number = append(.time, .vendor, .timestamp)
        case .field(let field): number = append(.field, field, field.kind)
        case .entry(let field, let key):
            number = append(field == .personal ? .personal : .additional, field, .any)
            paths.tree.add([key], below: field == .personal ? .personal : .additional, path: number)
        case .pointer(let pointer):
            number = append(.original, .vendor, .any)
            paths.tree.add(pointer.tokens.map { Array($0.utf8) }, below: .original, path: number)
        }
        otherPaths[path] = number
        return number
    }

    private mutating func append(_ place: PathTable.Path.Place, _ field: EventField, _ kind: FieldKind) -> Int32 {
        paths.paths.append(PathTable.Path(place: place, field: field, kind: kind))
        return Int32(paths.paths.count - 1)
    }

    // MARK: Leaves

    /// The leaf as one step, or as one step and its facts.
    mutating func append(_ leaf: Leaf, negated: Bool, to code: inout [Int32]) {
        switch leaf.test {
        case .calendar(let calendar, let inside):
            let operation: Step.Operation =
                inside ? negated ? .notInside : .inside : negated ? .notOutside : .outside
            code.append(Step(operation, number(calendar)).raw)
        case .state(let states):
            let held = states.reduce(into: Situations()) { $0.formUnion($1.situations) }
            let isAbsence = held.contains(.absent)
            let present = isAbsence ? Situations.all.subtracting(held) : held
            let path = path(leaf.path)
            let facts = Fact.situations.indices.filter { present.contains(Fact.situations[$0]) }
                .map { situation($0, path) }
            append(facts, path, negated: negated != isAbsence, to: &code)
        default:
            let path = path(leaf.path)
            append(facts(leaf.test, path), path, negated: negated, to: &code)
        }
    }

    private mutating func append(_ facts: [Int32], _ path: Int32, negated: Bool, to code: inout [Int32]) {
        if facts.count == 1 {
            code.append(Step(negated ? .noFact : .fact, facts[0]).raw)
            return
        }
        let ascending = Set(facts).sorted()
        if ascending.isEmpty {
            code.append(Step(negated ? .all : .any, 0).raw)
        } else if ascending.count == 1 {
            code.append(Step(negated ? .noFact : .fact, ascending[0]).raw)
        } else if ascending.count <= Self.longestList {
            code.append(Step(negated ? .noFacts : .facts, Int32(ascending.count)).raw)
            code += ascending
        } else {
            code.append(Step(negated ? .noFact : .fact, oneOf(ascending, path)).raw)
        }
    }

    private mutating func facts(_ test: Leaf.Test, _ path: Int32) -> [Int32] {
        switch test {
        case .equals(let literals, _): literals.flatMap(\.keys).compactMap { value($0, path) }
        case .text(let relation, let patterns): patterns.compactMap { text(relation, $0.folded, path) }
        case .matches(let expressions): expressions.map { expression($0, path) }
        case .listed(let lists): lists.map { list($0, path) }
        case .number(let range): [number(range, path)]
        case .moment(let range): [moment(range, path)]
        case .network(let networks): networks.compactMap { network($0, path) }
        case .state, .calendar: []
        }
    }

    private mutating func value(_ key: LiteralKey, _ path: Int32) -> Int32? {
        switch key {
        case .text(let text):
            paths[path].hasTexts = true
            paths[path].longestText = max(paths[path].longestText, Int32(text.count))
            return facts.insert(.text, path: path, text)
        case .exact(let text):
            paths[path].hasExactTexts = true
            paths[path].longestText = max(paths[path].longestText, Int32(text.count))
            return facts.insert(.exact, path: path, text)
        case .number(let number): return facts.insert(.number, path: path, number)
        case .moment(let milliseconds): return facts.insert(.moment, path: path, Self.bytes(milliseconds))
        }
    }

    private mutating func text(_ relation: TextRelation, _ folded: [UInt8], _ path: Int32) -> Int32? {
        switch relation {
        case .startsWith: return facts.insert(.prefix, path: path, folded)
        case .endsWith: return facts.insert(.suffix, path: path, folded)
        case .contains:
            if folded.isEmpty { return glob([UInt8(ascii: "*")], path) }
            return contains(folded, path)
        case .domain:
            paths[path].longestDomain = max(paths[path].longestDomain, Int32(folded.count))
            return facts.insert(folded.first == UInt8(ascii: ".") ? .domainEnding : .domain, path: path, folded)
        case .like:
            return glob(folded, path)
        }
    }

    private mutating func contains(_ folded: [UInt8], _ path: Int32) -> Int32? {
        let before = facts.count
        let fact = facts.insert(.contains, path: path, folded)
        if facts.count > before { patternBytes += folded.count }
        return fact
    }

    private mutating func glob(_ folded: [UInt8], _ path: Int32) -> Int32? {
        let pattern = GlobSearch(folded)
        if let plain = pattern.plain, plain.kind == .contains { return contains(plain.text, path) }
        if let plain = pattern.plain { return facts.insert(plain.kind, path: path, plain.text) }
        let key = GlobKey(path: path, folded: folded)
        if let known = globFacts[key] { return known }
        values.globs.append(pattern)
        let fact = append(.glob, path, values.globs.count - 1)
        globFacts[key] = fact
        return fact
    }

    private mutating func expression(_ expression: RegularExpression, _ path: Int32) -> Int32 {
        let key = ExpressionKey(path: path, pattern: expression.pattern)
        if let known = expressionFacts[key] { return known }
        values.expressions.append(expression)
        let fact = append(.expression, path, values.expressions.count - 1)
        expressionFacts[key] = fact
        return fact
    }

    private mutating func list(_ list: TextList, _ path: Int32) -> Int32 {
        let key = TextListKey(path: path, digest: list.digest)
        if let known = textListFacts[key] { return known }
        values.lists.append(list)
        let fact = append(.list, path, values.lists.count - 1)
        textListFacts[key] = fact
        return fact
    }

    private mutating func number(_ range: NumberRange, _ path: Int32) -> Int32 {
        let key = NumberKey(path: path, range: range)
        if let known = numberFacts[key] { return known }
        if paths[path].undecidable < 0 { paths[path].undecidable = append(.undecidable, path, 0) }
        values.numberRanges.append(range)
        let fact = append(.numberRange, path, values.numberRanges.count - 1)
        numberFacts[key] = fact
        return fact
    }

    private mutating func moment(_ range: MomentRange, _ path: Int32) -> Int32 {
        let key = MomentKey(path: path, range: range)
        if let known = momentFacts[key] { return known }
        values.momentRanges.append(range)
        let fact = append(.momentRange, path, values.momentRanges.count - 1)
        momentFacts[key] = fact
        return fact
    }

    private mutating func network(_ network: IPNetwork, _ path: Int32) -> Int32? {
        facts.insert(.network, path: path, Self.bytes(network.base, network.prefixLength))
    }

    private mutating func situation(_ index: Int, _ path: Int32) -> Int32 {
        if paths[path].situations < 0 {
            paths[path].situations = Int32(paths.situations.count)
            paths.situations += [-1, -1, -1, -1]
        }
        let place = Int(paths[path].situations) + index
        if paths.situations[place] < 0 { paths.situations[place] = append(.situation, path, index) }
        return paths.situations[place]
    }

    private mutating func oneOf(_ ascending: [Int32], _ path: Int32) -> Int32 {
        let key = ListKey(facts: ascending)
        if let known = listFacts[key] { return known }
        var lookups: Lookups = []
        for member in ascending {
            lookups.formUnion(.of(facts[member].kind))
            facts.setFound(member)
        }
        let fact = facts.append(
            Fact(path: path, kind: .oneOf, isFound: true, count: UInt16(lookups.rawValue), start: 0))
        listFacts[key] = fact
        members[fact] = ascending
        return fact
    }

    private mutating func append(_ kind: Fact.Kind, _ path: Int32, _ place: Int) -> Int32 {
        facts.append(
            Fact(
                path: path, kind: kind, isFound: kind == .situation || kind == .undecidable, count: 0,
                start: UInt32(place)))
    }

    private mutating func number(_ calendar: RuleCalendar) -> Int32 {
        if let known = calendarNumbers[calendar] { return known }
        values.calendars.append(calendar)
        values.calendarZones.append(calendar.zone.flatMap { values.zones.zone(named: $0) })
        let number = Int32(values.calendars.count - 1)
        calendarNumbers[calendar] = number
        return number
    }

    // MARK: Keys

    static func bytes(_ milliseconds: Int64) -> [UInt8] {
        let bits = UInt64(bitPattern: milliseconds)
        return (0..<8).map { UInt8(truncatingIfNeeded: bits >> (8 * UInt64($0))) }
    }

    /// An address held to so many bits, as a key.
    static func bytes(_ address: IPAddress, _ length: Int) -> [UInt8] {
        [address.isIPv4 ? 4 : 6, UInt8(length)] + IPNetwork(around: address, prefixLength: length).base.bytes
    }
}
