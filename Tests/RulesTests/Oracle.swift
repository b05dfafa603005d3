import Foundation

/// A rule and an event as plain values, and what the one means for the other, written straight from the language's
/// description: no index, no plan, no cache.
indirect enum ModelRule {
    case all([ModelRule])
    case any([ModelRule])
    case not(ModelRule)
    case field(ModelField, ModelTest)
}

enum ModelField: Hashable {
    case event, siteID, siteKey, group, source, returning, attempts, matches, startedAt
    case personal(String)
    case additional(String)

    var path: [String] {
        switch self {
        case .event: ["event"]
        case .siteID: ["site", "id"]
        case .siteKey: ["site", "key"]
        case .group: ["group", "name"]
        case .source: ["source"]
        case .returning: ["visitor", "returning"]
        case .attempts: ["face", "attempts"]
        case .matches: ["face", "matches"]
        case .startedAt: ["visit", "started_at"]
        case .personal(let key): ["personal", key]
        case .additional(let key): ["additional", key]
        }
    }
}

indirect enum ModelTest {
    case equals([String])
    case exactly([String])
    case state([String])
    case all([ModelTest])
    case not(ModelTest)
}

indirect enum ModelValue: Equatable {
    case null
    case text(String)
    case number(String)
    case boolean(Bool)
    case list([ModelValue])
    case object

    var json: String {
        switch self {
        case .null: "null"
        case .text(let text): quoted(text)
        case .number(let number): number
        case .boolean(let value): "\(value)"
        case .list(let values): "[" + values.map(\.json).joined(separator: ",") + "]"
        case .object: "{}"
        }
    }
}

/// Printable text in double quotes, as YAML and JSON both read it.
func quoted(_ text: String) -> String {
    "\"" + text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"") + "\""
}

struct ModelEvent {
    var type: String
    var values: [ModelField: ModelValue]

    var data: String {
        var groups: [String: [String]] = [:]
        var plain: [String] = []
        for (field, value) in values {
            let path = field.path
            if path.count == 1 {
                plain.append("\(quoted(path[0])):\(value.json)")
            } else {
                groups[path[0], default: []].append("\(quoted(path[1])):\(value.json)")
            }
        }
        return "{"
            + (plain + groups.map { "\(quoted($0.key)):{\($0.value.joined(separator: ","))}" }).joined(separator: ",")
            + "}"
    }
}

enum Oracle {
    static func holds(_ rule: ModelRule, _ event: ModelEvent) -> Bool {
        switch rule {
        case .all(let rules): rules.allSatisfy { holds($0, event) }
        case .any(let rules): rules.contains { holds($0, event) }
        case .not(let rule): !holds(rule, event)
        case .field(.event, let test): holds(test, .event, .text(event.type))
        case .field(let field, let test): holds(test, field, event.values[field])
        }
    }

    private static func holds(_ test: ModelTest, _ field: ModelField, _ value: ModelValue?) -> Bool {
        switch test {
        case .all(let tests): tests.allSatisfy { holds($0, field, value) }
        case .not(let test): !holds(test, field, value)
        case .state(let states): states.contains { isIn($0, value) }
        case .equals(let texts): elements(value).contains { element in texts.contains { equals($0, field, element) } }
        case .exactly(let texts):
            elements(value).contains { element in texts.contains { isExactly($0, field, element) } }
        }
    }

    private static func elements(_ value: ModelValue?) -> [ModelValue] {
        switch value {
        case nil: []
        case .list(let values): values
        case .some(let value): [value]
        }
    }

    private static func isIn(_ state: String, _ value: ModelValue?) -> Bool {
        let isEmpty = value == .text("") || value == .list([]) || value == .object
        switch state {
        case "absent": return value == nil
        case "null": return value == .null
        case "present": return value != nil && value != .null
        case "empty": return isEmpty
        default:
            if case .text(let text) = value, text.allSatisfy(\.isWhitespace) { return true }
            return value == nil || value == .null || isEmpty
        }
    }

    private static func equals(_ rule: String, _ field: ModelField, _ value: ModelValue) -> Bool {
        switch (field, value) {
        case (.event, .text(let text)):
            if rule.hasSuffix(".*") { return folded(text).hasPrefix(folded(String(rule.dropLast()))) }
            return folded(rule) == folded(text)
        case (.returning, .boolean(let flag)): return rule == "\(flag)"
        case (.attempts, .number(let number)): return sameNumber(rule, number)
        case (.matches, .number(let number)), (.siteID, .number(let number)): return folded(rule) == folded(number)
        case (.startedAt, .text(let text)): return moment(rule) != nil && moment(rule) == moment(text)
        case (.returning, _), (.attempts, _), (.startedAt, _): return false
        case (.personal, .number(let number)), (.additional, .number(let number)): return sameNumber(rule, number)
        case (.personal, .boolean(let flag)), (.additional, .boolean(let flag)): return folded(rule) == "\(flag)"
        case (_, .text(let text)): return folded(rule) == folded(text)
        default: return false
        }
    }

    private static func isExactly(_ rule: String, _ field: ModelField, _ value: ModelValue) -> Bool {
        switch (field, value) {
        case (_, .text(let text)): return rule == text
        case (.matches, .number(let number)), (.siteID, .number(let number)), (.personal, .number(let number)),
            (.additional, .number(let number)):
            return rule == number
        case (.personal, .boolean(let flag)), (.additional, .boolean(let flag)): return rule == "\(flag)"
        default: return false
        }
    }

    private static func folded(_ text: String) -> String {
        text.trimmingCharacters(in: .whitespacesAndNewlines).lowercased()
    }

    private static func sameNumber(_ rule: String, _ number: String) -> Bool {
        let isNumber = rule.wholeMatch(of: /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/) != nil
        return isNumber && Double(rule) == Double(number)
    }

    private static func moment(_ text: String) -> Date? {
        let plain = text.replacingOccurrences(of: ".000", with: "")
        return try? Date(plain, strategy: .iso8601)
    }
}
