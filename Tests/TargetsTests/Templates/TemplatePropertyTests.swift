import Events
import JSON
import Testing
import YAML

@testable import Targets

/// The same numbers in every run (SplitMix64).
struct Repeatable: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

/// A text in double quotes, as YAML takes any text: everything that is not plain ASCII is escaped.
private func written(_ text: String) -> String {
    let scalars = text.unicodeScalars.map { scalar in
        switch scalar.value {
        case 0x22, 0x5C: "\\\(scalar)"
        case 0x20..<0x7F: "\(scalar)"
        default:
            "\\U" + String(repeating: "0", count: 8 - String(scalar.value, radix: 16).count)
                + String(scalar.value, radix: 16)
        }
    }
    return "\"" + scalars.joined() + "\""
}

/// Templates at random, and what each must make of an event, worked out by other means than templates.
private indirect enum Drawn {
    case object([(String, Drawn)])
    case list([Drawn])
    case literal(String)
    case number(Int)
    /// A value by itself, or inside of texts.
    case value(Field, isOptional: Bool)
    case text([(literal: String, field: Field)], isOptional: Bool)

    enum Field: CaseIterable { case name, phone, company, car, count, missing }

    /// What JSON there is to be; nil: left out.
    func expected(_ values: [Field: String], inside: Bool = false) -> String? {
        switch self {
        case .object(let members):
            let written = members.compactMap { name, value in
                value.expected(values).map { quoted(name) + ":" + $0 }
            }
            return "{" + written.joined(separator: ",") + "}"
        case .list(let elements): return "[" + elements.compactMap { $0.expected(values) }.joined(separator: ",") + "]"
        case .literal(let text): return quoted(text)
        case .number(let number): return "\(number)"
        case .value(let field, let isOptional):
            guard let value = values[field] else { return isOptional ? nil : "null" }
            return field == .count ? value : quoted(value)
        case .text(let parts, let isOptional):
            if isOptional, parts.contains(where: { values[$0.field] == nil }) { return nil }
            return quoted(parts.map { $0.literal + (values[$0.field] ?? "") }.joined())
        }
    }

    /// As it is written in a configuration.
    var yaml: String {
        switch self {
        case .object(let members):
            "{" + members.map { written($0) + ": " + $1.yaml }.joined(separator: ", ") + "}"
        case .list(let elements): "[" + elements.map(\.yaml).joined(separator: ", ") + "]"
        case .literal(let text): written(Self.escaped(text))
        case .number(let number): "\(number)"
        case .value(let field, let isOptional): written(field.reference(isOptional))
        case .text(let parts, let isOptional):
            written(parts.map { Self.escaped($0.literal) + $0.field.reference(isOptional) }.joined())
        }
    }

    private static func escaped(_ text: String) -> String {
        text.unicodeScalars.map { $0 == "{" || $0 == "}" ? "\($0)\($0)" : "\($0)" }.joined()
    }
}

extension Drawn.Field {
    static let carKey = #"Car "Reg". [1] | <&>é"#

    func reference(_ isOptional: Bool) -> String {
        let name =
            switch self {
            case .name: "visitor.name"
            case .phone: "visitor.phone"
            case .company: "visitor.company"
            case .car: "additional." + Self.carKey.split(separator: "|").joined(separator: "||")
            case .count: "invitation.attempts"
            case .missing: "personal.no such field"
            }
        return "{" + (isOptional ? "?" : "") + name + "}"
    }
}

@Suite("Any template") struct TemplatePropertyTests {
    private static let texts = Hostile.texts.filter { $0.utf8.count < 400 && !$0.contains("${") }
    /// The names of a body are the configuration's own, and hold no references.
    private static let names = texts.filter { !$0.isEmpty && !$0.contains("{") }

    private func drawn(_ random: inout Repeatable, depth: Int = 0) -> Drawn {
        func field(_ random: inout Repeatable) -> Drawn.Field { Drawn.Field.allCases.randomElement(using: &random)! }
        func text(_ random: inout Repeatable) -> String { Self.texts.randomElement(using: &random)! }
        switch Int.random(in: depth > 3 ? 2...6 : 0...6, using: &random) {
        case 0:
            var names = Self.names.shuffled(using: &random)
            return .object(
                (0..<Int.random(in: 0...4, using: &random)).map { _ in
                    (names.removeLast(), drawn(&random, depth: depth + 1))
                })
        case 1: return .list((0..<Int.random(in: 0...4, using: &random)).map { _ in drawn(&random, depth: depth + 1) })
        case 2: return .literal(text(&random))
        case 3: return .number(Int.random(in: -5...5, using: &random))
        case 4: return .value(field(&random), isOptional: depth > 0 && Bool.random(using: &random))
        default:
            let parts = (0..<Int.random(in: 1...3, using: &random)).map { _ in (text(&random) + "-", field(&random)) }
            return .text(parts, isOptional: depth > 0 && Bool.random(using: &random))
        }
    }

    @Test("makes of any event the values it says, and never another structure", arguments: 1...40)
    func structure(seed: Int) throws {
        var random = Repeatable(state: UInt64(seed))
        let policy = ContentPolicy(includesOriginal: true, includesBiometrics: false)
        for _ in 0..<10 {
            let drawn = drawn(&random)
            var values: [Drawn.Field: String] = [:]
            for field in Drawn.Field.allCases where field != .missing && Int.random(in: 0...3, using: &random) > 0 {
                values[field] =
                    field == .count
                    ? "\(Int.random(in: 0...9, using: &random))" : Self.texts.randomElement(using: &random)!
            }
            var diagnostics = Diagnostics()
            let node = try #require(try parseYAML(Array(drawn.yaml.utf8), file: "g.yaml"))
            let template = BodyTemplate(node, policy, &diagnostics)
            try #require(!diagnostics.hasErrors, "\(diagnostics) of \(drawn.yaml)")
            func member(_ name: String, _ field: Drawn.Field) -> String? {
                values[field].map { "\(quoted(name)):\(field == .count ? $0 : quoted($0))" }
            }
            let visitor = [member("name", .name), member("phone", .phone), member("company", .company)]
            let event = try Sample.event(replacing: [
                "visitor": "{" + visitor.compactMap(\.self).joined(separator: ",") + "}",
                "additional": "{" + (member(Drawn.Field.carKey, .car) ?? "") + "}",
                "invitation": "{" + (member("attempts", .count) ?? "") + "}",
            ])
            let body = try #require(template).render(event, policy)
            _ = try JSONParser().parse(body)
            #expect(text(body) == drawn.expected(values))
        }
    }

    @Test(
        "finds personal and additional fields by exactly their names, whatever stands in them",
        arguments: [
            "Car Reg", "car reg", " Car Reg ", "Do you agree?", "a.b.c", "visitor.name", "it's \"so\"", "[0]", "<b>&",
            "naïve名前", "?", "$x", "a:b", "1", "null", "e\u{301}",
        ])
    func names(key: String) throws {
        let policy = ContentPolicy(includesOriginal: false, includesBiometrics: false)
        let others = ["CAR REG", "a", "b", "visitor", "0", "\u{e9}"].map { "\(quoted($0)):\"other\"" }
        for map in ["personal", "additional"] {
            let event = try Sample.event(replacing: [
                map: "{" + (others + ["\(quoted(key)):\"this\""]).joined(separator: ",") + "}"
            ])
            var diagnostics = Diagnostics()
            let yaml =
                "[\(quoted("{\(map).\(key)}")), \(quoted("{?\(map).\(key)x}")), \(quoted("<{\(map).\(key)|text}>"))]"
            let node = try #require(try parseYAML(Array(yaml.utf8), file: "g.yaml"))
            let template = BodyTemplate(node, policy, &diagnostics)
            if key.hasSuffix(" ") {
                #expect(diagnostics.description.contains("a space stands before the `|`"))
                continue
            }
            #expect(diagnostics.isEmpty, "\(diagnostics)")
            #expect(try text(#require(template).render(event, policy)) == #"["this","<this>"]"#)
        }
    }
}
