import Events
import Testing
import YAML

@testable import Rules

@Suite("Plans against the oracle")
struct PropertyTests {
    @Test("a plan takes exactly what a plain reading of its rules takes, on many rules and events", arguments: 0..<60)
    func agrees(_ seed: Int) throws {
        var generator = ModelGenerator(seed: UInt64(seed))
        var scratch = MatchScratch()
        for _ in 0..<8 {
            let rules = (0..<generator.number(1...12)).map { _ in generator.rule(depth: 3) }
            let text =
                "routes:\n"
                + rules.enumerated().map { "- {name: r\($0), to: siem, when: \(generator.yaml($1))}\n" }.joined()
            var diagnostics = Diagnostics()
            let plan = RuleLoader.load(
                texts: [("r.yaml", Array(text.utf8))], environment: environment, diagnostics: &diagnostics
            ).plan
            try #require(!diagnostics.hasErrors, "\(diagnostics)\n\(text)")
            let hopeless = Set(
                diagnostics.all.compactMap { $0.message.contains("can never match") ? $0.location.line - 2 : nil })

            for _ in 0..<25 {
                let model = generator.event()
                let event = try event(model.data, type: model.type)
                let expected = rules.indices.filter { Oracle.holds(rules[$0], model) }
                let taken = plan.match(event, scratch: &scratch).first?.routes ?? []
                #expect(taken == expected, "\(model.type) \(model.data)\n\(text)")
                #expect(plan.routes(taking: event, scratch: &scratch) == expected)
                #expect(hopeless.isDisjoint(with: expected), "\(diagnostics)\n\(model.data)")
                for route in taken { #expect(!plan.reasons(route, event).isEmpty) }
            }
        }
    }
}

/// Rules and events of few fields and values, so that they meet often.
struct ModelGenerator {
    private var random: SplitMix

    init(seed: UInt64) { random = SplitMix(seed: seed) }

    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    private mutating func pick<T>(_ values: [T]) -> T { values[number(0...values.count - 1)] }
    private mutating func chance(_ percent: Int) -> Bool { number(1...100) <= percent }

    private static let fields: [ModelField] = [
        .event, .siteID, .siteKey, .group, .source, .returning, .attempts, .matches, .startedAt, .personal("role"),
        .personal("a.b"),
        .personal("not"), .additional("NDA signed"), .additional("role"),
    ]
    private static let types = ["visitor.signin", "visitor.signout", "visitor.signin.requested", "pin.ok", "other"]
    private static let loose = [
        "a", "A ", "b", "é", "É", "7", "7.0", "07", "true", "False", "", " ", "null", "1e1", "10",
    ]
    private static let times = ["2024-01-01T00:00:00Z", "2024-01-01T10:00:00+10:00", "2024-06-01T00:00:00Z"]

    // MARK: Rules

    mutating func rule(depth: Int) -> ModelRule {
        let kind = depth == 0 ? 0 : number(0...9)
        switch kind {
        case 0...4:
            let field = pick(Self.fields)
            return .field(field, test(field, depth: 2))
        case 5, 6: return .all((0..<number(1...3)).map { _ in rule(depth: depth - 1) })
        case 7, 8: return .any((0..<number(1...3)).map { _ in rule(depth: depth - 1) })
        default: return .not(rule(depth: depth - 1))
        }
    }

    private mutating func test(_ field: ModelField, depth: Int) -> ModelTest {
        switch depth == 0 ? 0 : number(0...9) {
        case 0...6: return positive(field)
        case 7: return .all([positive(field), .not(test(field, depth: depth - 1))])
        default: return .not(test(field, depth: depth - 1))
        }
    }

    private mutating func positive(_ field: ModelField) -> ModelTest {
        let isText = ![.returning, .attempts, .startedAt].contains(field)
        switch number(0...6) {
        case 5 where isText: return .exactly((0..<number(1...2)).map { _ in literal(field, exactly: true) })
        case 6: return .state((0..<number(1...2)).map { _ in pick(["present", "absent", "null", "empty", "blank"]) })
        default: return .equals((0..<number(1...3)).map { _ in literal(field, exactly: false) })
        }
    }

    private mutating func literal(_ field: ModelField, exactly: Bool) -> String {
        switch field {
        case .event: return exactly ? pick(Self.types) : pick(Self.types + ["visitor.*", "Visitor.Signin"])
        case .siteKey: return exactly ? pick(["london", "hq"]) : pick(["london", "HQ"])
        case .source: return pick(["london", "sydney"])
        case .returning: return pick(["true", "false"])
        case .attempts: return pick(["7", "7.0", "1e1", "10"])
        case .startedAt: return pick(Self.times)
        default: return pick(Self.loose)
        }
    }

    func yaml(_ rule: ModelRule) -> String {
        switch rule {
        case .all(let rules): "{all: [\(rules.map(yaml).joined(separator: ", "))]}"
        case .any(let rules): "{any: [\(rules.map(yaml).joined(separator: ", "))]}"
        case .not(let rule): "{not: \(yaml(rule))}"
        case .field(let field, let test): field.path.reversed().reduce(yaml(test, field)) { "{\(quoted($1)): \($0)}" }
        }
    }

    private func yaml(_ test: ModelTest, _ field: ModelField) -> String {
        func list(_ texts: [String]) -> String {
            let written = texts.map { field == .returning ? $0 : quoted($0) }
            return written.count == 1 ? written[0] : "[\(written.joined(separator: ", "))]"
        }
        return switch test {
        case .equals(let texts): list(texts)
        case .exactly(let texts): "{exactly: \(list(texts))}"
        case .state(let states): "{is: [\(states.map(quoted).joined(separator: ", "))]}"
        case .not(let test): "{not: \(yaml(test, field))}"
        case .all(let tests): "{" + tests.map { member($0, field) }.joined(separator: ", ") + "}"
        }
    }

    /// A test as one of several operators; two of the same name cannot stand side by side.
    private func member(_ test: ModelTest, _ field: ModelField) -> String {
        switch test {
        case .equals: "equals: \(yaml(test, field))"
        case .all(let tests): tests.map { member($0, field) }.joined(separator: ", ")
        default: String(yaml(test, field).dropFirst().dropLast())
        }
    }

    // MARK: Events

    mutating func event() -> ModelEvent {
        var values: [ModelField: ModelValue] = [:]
        for field in Self.fields where field != .event && chance(60) { values[field] = value(field) }
        return ModelEvent(type: pick(Self.types), values: values)
    }

    private mutating func value(_ field: ModelField) -> ModelValue {
        if chance(8) { return pick([.null, .object, .list([]), .text(""), .text(" "), .boolean(true), .number("7")]) }
        switch field {
        case .siteKey: return .text(pick(["london", "hq"]))
        case .source: return .text(pick(["london", "sydney"]))
        case .returning: return .boolean(chance(50))
        case .attempts: return .number(pick(["7", "70e-1", "10", "3"]))
        case .startedAt: return .text(pick(["2024-01-01T00:00:00.000Z", "soon"]))
        case .matches: return .list((0..<number(0...3)).map { _ in scalar() })
        case .personal, .additional:
            return chance(20) ? .list((0..<number(0...3)).map { _ in scalar() }) : scalar()
        default: return .text(pick(Self.loose))
        }
    }

    private mutating func scalar() -> ModelValue {
        switch number(0...9) {
        case 0: .number(pick(["7", "7.0", "10", "1E1"]))
        case 1: .boolean(chance(50))
        default: .text(pick(Self.loose))
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
