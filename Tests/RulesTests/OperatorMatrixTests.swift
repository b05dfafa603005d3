import Events
import JSON
import Testing

@testable import Rules

/// Every operator against every kind of field, as the language has it, written out once more.
@Suite("Operators and fields")
struct OperatorMatrixTests {
    /// A field of each kind as a rule names it; where its operators stand; and a value it can be compared with.
    enum Field: String, CaseIterable {
        case text = "visitor.name"
        case identifier = "visitor.id"
        case identifiers = "face.matches"
        case reasons = "visit.reasons"
        case boolean = "visitor.returning"
        case number = "face.attempts"
        case timestamp = "visit.started_at"
        case personal = "personal \"role\""
        case additional = "additional \"role\""
        case json = "json \"/role\""
        case before = "change.before"
        case time
        case event
        case source
        case site
        case group

        func condition(_ test: String) -> String {
            switch self {
            case .personal: "{personal: {role: \(test)}}"
            case .additional: "{additional: {role: \(test)}}"
            case .json: "{json: {/role: \(test)}}"
            default:
                "{"
                    + rawValue.split(separator: ".").reversed().reduce(test) { "\($1): \($0)" }
                    .replacing(nesting: rawValue) + "}"
            }
        }

        var value: String {
            switch self {
            case .boolean: "true"
            case .number: "3"
            case .timestamp, .time: "2024-07-30T09:00:00Z"
            case .event: "visitor.signin"
            case .source: "london"
            default: "abc"
            }
        }

        var amount: String { self == .number ? "3" : "2024-07-30T09:00:00Z" }
    }

    private static let everywhere: Set<RuleOperator> = [.equals, .anyOf, .not, .is]
    private static let texts: Set<RuleOperator> = [
        .exactly, .startsWith, .endsWith, .contains, .like, .matches, .domain, .cidr, .inList,
    ]
    private static let amounts: Set<RuleOperator> = [.above, .atLeast, .below, .atMost, .between]
    private static let calendars: Set<RuleOperator> = [.within, .outside]

    static func takes(_ field: Field) -> Set<RuleOperator> {
        switch field {
        case .text, .identifier, .identifiers, .reasons, .event, .source, .site, .group: everywhere.union(texts)
        case .boolean: everywhere
        case .number, .timestamp: everywhere.union(amounts)
        case .personal, .additional, .json, .before: everywhere.union(texts).union(amounts)
        case .time: everywhere.union(amounts).union(calendars)
        }
    }

    static func argument(_ operation: RuleOperator, _ field: Field) -> String {
        switch operation {
        case .equals, .anyOf, .exactly, .not: field.value
        case .is: "present"
        case .startsWith, .endsWith, .contains, .like, .matches: "abc"
        case .domain: "acme.com"
        case .cidr: "10.0.0.0/8"
        case .inList: "watch"
        case .above, .atLeast, .below, .atMost: field.amount
        case .between: "[\(field.amount), \(field.amount)]"
        case .within, .outside: "{days: mon-fri}"
        }
    }

    @Test("an operator can be asked of the fields it fits, and of no other", arguments: RuleOperator.allCases)
    func fits(_ operation: RuleOperator) {
        for field in Field.allCases {
            let test = "{\(operation.rawValue): \(Self.argument(operation, field))}"
            let complaint = complaints(when: field.condition(test))
            if Self.takes(field).contains(operation) {
                #expect(complaint == "", "\(field) \(test)")
            } else {
                #expect(complaint.contains("`\(operation.rawValue):` compares "), "\(field) \(test): \(complaint)")
                #expect(complaint.contains("\(field.rawValue) is "), "\(complaint)")
                let fitting = RuleOperator.allCases.filter(Self.takes(field).contains).map(\.rawValue)
                #expect(complaint.hasSuffix("it takes " + fitting.joined(separator: ", ")), "\(complaint)")
            }
        }
    }

    @Test(
        "every operator's argument may be a list but where one value or two are meant", arguments: RuleOperator.allCases
    )
    func lists(_ operation: RuleOperator) throws {
        let field = try #require(Field.allCases.first { Self.takes($0).contains(operation) })
        let argument = Self.argument(operation, field)
        let list = operation == .between ? argument : "[\(argument), \(argument)]"
        let complaint = complaints(when: field.condition("{\(operation.rawValue): \(list)}"))
        let takesOne: Set<RuleOperator> = [.above, .atLeast, .below, .atMost]
        #expect(complaint.contains("takes one value") == takesOne.contains(operation), "\(complaint)")
        #expect(complaint.isEmpty != takesOne.contains(operation), "\(complaint)")
    }

    @Test("only not takes operators", arguments: RuleOperator.allCases)
    func nesting(_ operation: RuleOperator) throws {
        let field = try #require(Field.allCases.first { Self.takes($0).contains(operation) })
        let complaint = complaints(when: field.condition("{\(operation.rawValue): {equals: \(field.value)}}"))
        switch operation {
        case .not: #expect(complaint == "")
        case .within, .outside: #expect(complaint.contains("unknown key `equals` in a calendar"))
        default: #expect(complaint.contains("only `not:` takes operators"), "\(complaint)")
        }
    }

    @Test("an unquoted null is no argument of any operator", arguments: RuleOperator.allCases)
    func null(_ operation: RuleOperator) throws {
        let field = try #require(Field.allCases.first { Self.takes($0).contains(operation) })
        for null in ["", "~", "null"] {
            #expect(complaints(when: field.condition("{\(operation.rawValue): \(null)}")) != "")
        }
    }
}

extension String {
    /// Puts braces around each level below the first: `a: b: c` is written `a: {b: c}`.
    fileprivate func replacing(nesting path: String) -> String {
        let parts = path.split(separator: ".")
        guard parts.count == 2 else { return self }
        return "\(parts[0]): {" + dropFirst(parts[0].count + 2) + "}"
    }
}
