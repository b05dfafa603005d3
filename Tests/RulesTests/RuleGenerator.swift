import Addresses
import Events
import JSON
import YAML

@testable import Rules

/// Conditions and events of few fields and values, so that they meet often.
struct RuleGenerator {
    private var random: SplitMix

    init(seed: UInt64) { random = SplitMix(seed: seed) }

    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    mutating func pick<T>(_ values: [T]) -> T { values[number(0...values.count - 1)] }
    mutating func chance(_ percent: Int) -> Bool { number(1...100) <= percent }

    // MARK: What rules and events are made of

    static let paths: [FieldPath] =
        [
            .event, .time, .field(.siteID), .field(.groupName), .field(.source), .field(.visitorEmail),
            .field(.visitorReturning), .field(.faceAttempts), .field(.faceMatches), .field(.visitStartedAt),
            .field(.visitReasons), .field(.deviceIP), .field(.changeAfter),
        ] + ["role", "a.b", "not"].map { .entry(.personal, Array($0.utf8)) }
        + ["role", "NDA \u{e9}"].map { .entry(.additional, Array($0.utf8)) }
        + [["x"], ["x", "y"], ["list", "0"], ["list", "1", "y"]].map { .pointer(JSONPointer(tokens: $0)) }

    private static let types = [
        "visitor.signin", "visitor.signout", "pin.ok", "system.started", "system.stopped", "other",
    ]
    private static let texts = [
        "a", "A ", "b", "ab", "aba", "abab", "Abc abc", "\u{c9}", "\u{e9}a\u{e9}", "7", "7.0", "07", "true", "False",
        "",
        " ", "null", "1e1", "10", "-3.25", "12345678901234567890123456789", "1E40", "2024-01-01T00:00:00Z",
        "2024-01-01T12:00:00+02:00", "2024-06-01T00:00:00.5Z", "10.0.0.1", "10.20.0.1", "::ffff:10.0.0.1",
        "2001:db8::1",
        "x@acme.com", "x@eu.Acme.com", "a@b@acme.com", "@.acme.com", "v7123@acme.org", "v123@notacme.com",
        "\u{2028}ab\u{a0}", "K", "\u{212a}", "*", "a?b", "\u{1f600}a",
    ]
    private static let numbers = ["7", "7.0", "70e-1", "10", "3", "-3.25", "0", "1E1", "1e40", "0.0000000001", "6.999"]
    private static let patterns = [
        "a", "ab", "ba", "abab", "\u{e9}", " ", "a ", "@", "acme", ".com", "7", "1e", "b", "abc a", "", "x@acme.com",
        "\u{1f600}", "k",
    ]
    private static let globs = [
        "*", "a*", "*a", "*a*", "a*b", "?", "??", "*a*b*", "v*123@*acme*", "*@?cme.com", "a?b", "*?b*", "\u{e9}?\u{e9}",
        "", "*a*a*a*b", "?*?", "ab", "*b?b*", "x@*.com", "**a",
    ]
    private static let domains = ["acme.com", ".acme.com", "eu.acme.com", ".com", "b@acme.com", "", "."]
    private static let expressions = [
        "a", "(?i)acme", "^a", "b$", "(a+)+$", "ab|ba", "[0-9]{3}@", "x@.*acme", "", "\u{e9}", "(?i)k", "^\\s*$",
        "abc abc|acme\\.org", " ab", "a.b",
    ]
    private static let networks = [
        "10.0.0.0/8", "10.0.0.1/32", "10.20.0.0/16", "0.0.0.0/0", "2001:db8::/32", "::/0", "fc00::/7",
    ]
    private static let moments = ["2024-01-01T00:00:00Z", "2024-01-01T10:00:00Z", "2024-06-01T00:00:00Z"]

    // MARK: Routes

    /// - Parameter many: many routes that have parts in common, as in the plans of large sites.
    mutating func routes(many: Bool) -> [Route] {
        if !many { return (0..<number(1...12)).map { route($0, condition(depth: 3)) } }
        let count = number(100...300)
        let shared = (0..<3).map { _ in condition(depth: 2) }
        let path = pick(Self.paths.filter { $0.kind == .any })
        return (0..<count).map { index in
            switch number(0...9) {
            case 0: route(index, condition(depth: 2))
            case 1: route(index, .all([shared[0], .not(leaf()), .not(leaf())]))
            case 2...4: route(index, .all([shared[1], .not(.leaf(distinct(index, path)))]))
            case 5, 6: route(index, .not(.leaf(distinct(index, path))))
            case 7: route(index, .all([.leaf(distinct(index, path)), shared[2]]))
            default: route(index, .not(.any([leaf(), .leaf(distinct(index, path))])))
            }
        }
    }

    private mutating func route(_ index: Int, _ condition: Condition) -> Route {
        let location = SourceLocation(file: "r.yaml", line: index + 1, column: 1)
        var route = Route(
            name: "r\(index)", description: nil, isEnabled: !chance(3), targets: pick([["a"], ["b"], ["b", "a"]]),
            location: location, condition: condition)
        route.takesUnmatched = chance(5)
        if chance(5) { route.scope = .leaf(leaf(.field(.siteID))) }
        return route
    }

    /// Another one for each route.
    private mutating func distinct(_ index: Int, _ path: FieldPath) -> Leaf {
        let text = chance(30) ? pick(Self.texts) : "value \(index)"
        switch number(0...4) {
        case 0: return made(path, .text(.like, [pattern("*\(text)*")]))
        case 1: return made(path, .text(pick([.startsWith, .endsWith, .contains]), [pattern(text)]))
        default: return made(path, .equals([literal(text, path)], exactly: false))
        }
    }

    mutating func condition(depth: Int) -> Condition {
        switch depth == 0 ? 0 : number(0...11) {
        case 0...4: return leaf()
        case 5, 6: return .all((0..<number(0...3)).map { _ in condition(depth: depth - 1) })
        case 7, 8: return .any((0..<number(1...3)).map { _ in condition(depth: depth - 1) })
        case 9: return .named(named(depth))
        default: return .not(condition(depth: depth - 1))
        }
    }

    private mutating func named(_ depth: Int) -> NamedCondition {
        var condition = self.condition(depth: depth - 1)
        if chance(50) { condition = .any((0..<8).map { _ in self.condition(depth: 1) } + [condition]) }
        let line = number(1...1_000_000)
        return NamedCondition(
            name: "n", condition: condition, location: SourceLocation(file: "c.yaml", line: line, column: 1))
    }

    // MARK: Leaves

    private mutating func leaf() -> Condition { .leaf(leaf(pick(Self.paths))) }

    private func made(_ path: FieldPath, _ test: Leaf.Test) -> Leaf {
        Leaf(path: path, name: path.text, test: test, location: SourceLocation(file: "r.yaml", line: 1, column: 1))
    }

    private mutating func leaf(_ path: FieldPath) -> Leaf {
        if chance(12) {
            return made(path, .state((0..<number(1...3)).map { _ in pick(FieldState.allCases) }))
        }
        if path == .time, chance(50) { return made(path, .calendar(calendar(), inside: chance(50))) }
        let isText = ![.boolean, .number, .timestamp].contains(path.kind)
        switch number(0...9) {
        case 0...3: return made(path, .equals(literals(path, exactly: false), exactly: false))
        case 4 where isText: return made(path, .equals(literals(path, exactly: true), exactly: true))
        case 5, 6:
            if isText { return text(path) }
        case 7:
            if isText, chance(30) { return made(path, .listed((0..<number(1...2)).map { _ in list() })) }
            if isText { return made(path, .matches((0..<number(1...2)).map { _ in expression() })) }
        case 8:
            if path.kind == .number || path.kind == .any { return made(path, .number(numberRange())) }
            if path.kind == .timestamp { return made(path, .moment(momentRange())) }
        default:
            if isText, chance(60) {
                return made(path, .network((0..<number(1...6)).compactMap { _ in IPNetwork(pick(Self.networks)) }))
            }
            if path.kind == .timestamp || path.kind == .any { return made(path, .moment(momentRange())) }
        }
        return made(path, .equals(literals(path, exactly: false), exactly: false))
    }

    private mutating func text(_ path: FieldPath) -> Leaf {
        let relation = pick(TextRelation.allCases)
        let patterns = (0..<(chance(10) ? 7 : number(1...2))).map { _ in
            switch relation {
            case .like: pattern(pick(Self.globs))
            case .domain: pattern(pick(Self.domains))
            default: pattern(pick(Self.patterns))
            }
        }
        return made(path, .text(relation, patterns))
    }

    private func pattern(_ text: String) -> TextPattern {
        var folded: [UInt8] = []
        let bytes = Array(text.utf8)
        TextFolding.fold(bytes, 0..<bytes.count, into: &folded)
        return TextPattern(text: text, folded: folded)
    }

    private mutating func list() -> TextList {
        var builder = TextListBuilder()
        for _ in 0..<number(0...8) { builder.add(TextFolding.key(pick(Self.texts))) }
        return builder.list(name: "list")
    }

    private mutating func expression() -> RegularExpression {
        // Each of the list is one.
        try! RegularExpression(pick(Self.expressions))
    }

    private mutating func literals(_ path: FieldPath, exactly: Bool) -> [Literal] {
        (0..<(chance(15) ? 8 : number(1...3))).map { _ in
            switch path {
            case .event: literal(pick(Self.types), path, exactly: exactly)
            case .field(.visitorReturning): literal(pick(["true", "false"]), path)
            case .time, .field(.visitStartedAt): literal(pick(Self.moments), path)
            case .field(.faceAttempts): literal(pick(Self.numbers), path)
            default: literal(pick(Self.texts), path, exactly: exactly)
            }
        }
    }

    private func literal(_ text: String, _ path: FieldPath, exactly: Bool = false) -> Literal {
        if exactly { return Literal(text: text, keys: [.exact(Array(text.utf8))]) }
        let number = DecimalNumber.canonical(text.utf8).map { [LiteralKey.number($0)] } ?? []
        switch path.kind {
        case .number: return Literal(text: text, keys: number)
        case .timestamp: return Literal(text: text, keys: Timestamp(text).map { [.moment($0.milliseconds)] } ?? [])
        case .any, .map: return Literal(text: text, keys: [.text(TextFolding.key(text))] + number)
        default: return Literal(text: text, keys: [.text(TextFolding.key(text))])
        }
    }

    private mutating func numberRange() -> NumberRange {
        let bounds = (0..<2).map { _ in
            OrderedNumber(pick(Self.numbers.filter { $0 != "1e40" }).utf8).map {
                NumberRange.Bound(text: "", number: $0, isIncluded: chance(50))
            }
        }
        return NumberRange(lower: chance(60) ? bounds[0] : nil, upper: chance(60) ? bounds[1] : nil)
    }

    private mutating func momentRange() -> MomentRange {
        func bound() -> MomentRange.Bound? {
            guard chance(60) else { return nil }
            let moment: MomentRange.Bound.Moment =
                chance(40)
                ? .relative(Int64(number(-3...3)) * 3_600_000)
                : .fixed(Timestamp(pick(Self.moments))?.milliseconds ?? 0)
            return MomentRange.Bound(text: "", moment: moment, isIncluded: chance(50))
        }
        return MomentRange(lower: bound(), upper: bound())
    }

    private mutating func calendar() -> RuleCalendar {
        RuleCalendar(
            name: nil, days: (0..<7).map { _ in chance(70) },
            hours: chance(70) ? .init(from: 60 * number(0...23), to: 60 * number(1...24)) : nil,
            holidays: chance(20) ? [19_723] : [], zone: chance(50) ? pick(["Europe/Paris", "UTC", "Asia/Tokyo"]) : nil)
    }

    // MARK: Events

    static let sourceZones = ["london": "Europe/London"]

    /// An event's JSON.
    mutating func event() -> String {
        var groups: [(name: String, members: [String])] = []
        func add(_ group: String, _ member: String) {
            if let place = groups.firstIndex(where: { $0.name == group }) {
                groups[place].members.append(member)
            } else {
                groups.append((group, [member]))
            }
        }
        var plain: [String] = []
        for path in Self.paths where chance(60) {
            switch path {
            case .field(let field):
                let parts = field.path.split(separator: ".").map(String.init)
                let member = "\(quoted(parts[parts.count - 1])):\(value(path))"
                if parts.count == 1 { plain.append(member) } else { add(parts[0], member) }
            case .entry(let field, let key):
                add(field.path, "\(quoted(String(decoding: key, as: UTF8.self))):\(value(path))")
            default: break
            }
        }
        if chance(50) { add("site", "\"timezone\":\(pick(["\"Europe/Paris\"", "\"Nowhere\"", "\"\"", "null"]))") }
        if chance(70) { plain.append("\"original\":\(original(depth: 3))") }
        let data = plain + groups.map { "\(quoted($0.name)):{\($0.members.joined(separator: ","))}" }
        let time = chance(90) ? "\"time\":\(quoted(pick(Self.moments + ["soon"])))," : ""
        let type = pick(Self.types)
        return
            "{\"specversion\":\"1.0\",\"id\":\"00\",\(time)\"type\":\"\(type)\",\"data\":{\(data.joined(separator: ","))}}"
    }

    private mutating func original(depth: Int) -> String {
        switch depth == 0 ? 0 : number(0...3) {
        case 0: return scalar()
        case 1: return "[\((0..<number(0...3)).map { _ in original(depth: depth - 1) }.joined(separator: ","))]"
        default:
            let keys = ["x", "y", "list", "0"].filter { _ in chance(60) }
            return "{\(keys.map { "\(quoted($0)):\(original(depth: depth - 1))" }.joined(separator: ","))}"
        }
    }

    private mutating func value(_ path: FieldPath) -> String {
        if chance(8) { return pick(["null", "{}", "[]", "\"\"", "\" \"", "true", "7", "{\"a\":1}", "[[1]]"]) }
        switch path {
        case .field(.visitorReturning): return pick(["true", "false"])
        case .field(.faceAttempts): return pick(Self.numbers)
        case .field(.visitStartedAt): return quoted(pick(Self.moments + ["soon"]))
        case .field(.source): return quoted(pick(["london", "sydney"]))
        case .field(.faceMatches): return list()
        case .field(.visitReasons):
            return
                "[\((0..<number(0...2)).map { _ in "{\"name\":\(scalar()),\"reason\":\(scalar())}" }.joined(separator: ","))]"
        case .entry: return chance(20) ? list() : scalar()
        default: return quoted(pick(Self.texts))
        }
    }

    private mutating func list() -> String {
        "[\((0..<number(0...3)).map { _ in scalar() }.joined(separator: ","))]"
    }

    private mutating func scalar() -> String {
        switch number(0...9) {
        case 0: pick(Self.numbers)
        case 1: pick(["true", "false", "null"])
        case 2: quoted("value \(number(0...200))")
        default: quoted(pick(Self.texts))
        }
    }
}

/// A small generator with a seed, so that a failure can be seen again.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Printable text in double quotes, as YAML and JSON both read it.
func quoted(_ text: String) -> String {
    "\"" + text.replacingOccurrences("\\", "\\\\").replacingOccurrences("\"", "\\\"") + "\""
}
