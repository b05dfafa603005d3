import JSON
import YAML

/// What a part of an answer must hold: values at JSON pointers (RFC 6901), each one of a few.
struct AnswerCondition: Sendable {
    private struct Requirement: Sendable {
        var pointer: JSONPointer
        var values: [Value]
    }

    private enum Value: Sendable {
        /// Also for a value that is not there.
        case null
        case bool(Bool)
        case number(Double)
        case text(String)
    }

    private var requirements: [Requirement] = []

    /// Whether all of it is so.
    /// - Parameter place: what the pointers begin at.
    func holds(_ tape: JSONTape, _ place: JSONIndex) -> Bool {
        requirements.allSatisfy { requirement in
            let found = tape.value(at: requirement.pointer, from: place)
            return requirement.values.contains { Self.matches($0, found, tape) }
        }
    }

    private static func matches(_ value: Value, _ found: JSONIndex?, _ tape: JSONTape) -> Bool {
        guard let found, tape.kind(found) != .null else {
            if case .null = value { return true } else { return false }
        }
        return switch value {
        case .null: false
        case .bool(let bool): tape.bool(found) == bool
        case .number(let number): tape.double(found) == number
        case .text(let text): tape.equals(found, text)
        }
    }
}

extension AnswerCondition {
    /// Reads `{POINTER: VALUE}` or `{POINTER: [VALUE, …]}`. Nil when an error was reported.
    init?(_ node: YAMLNode, _ name: String, _ diagnostics: inout Diagnostics) {
        guard let entries = node.mapping(name, &diagnostics) else { return nil }
        guard !entries.isEmpty else {
            diagnostics.error(at: node.location, "`\(name):` asks nothing: write a pointer and its values")
            return nil
        }
        for entry in entries {
            guard let pointer = entry.key.pointer(&diagnostics),
                let values = Self.values(entry.value, &diagnostics)
            else { return nil }
            requirements.append(Requirement(pointer: pointer, values: values))
        }
    }

    private static func values(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> [Value]? {
        let nodes = node.elements ?? [node]
        guard !nodes.isEmpty else {
            diagnostics.error(at: node.location, "this list has no value that would do")
            return nil
        }
        var values: [Value] = []
        for node in nodes {
            guard let scalar = node.scalar else {
                diagnostics.error(
                    at: node.location, "expected a text, a number, true, false or null, found \(node.kindName)")
                return nil
            }
            values.append(value(scalar))
        }
        return values
    }

    private static func value(_ scalar: YAMLScalar) -> Value {
        if scalar.isNull { return .null }
        guard let literal = scalar.jsonLiteral, let tape = try? JSONParser().parse(literal) else {
            return .text(scalar.text)
        }
        if let bool = tape.bool(tape.root) { return .bool(bool) }
        return tape.double(tape.root).map { .number($0) } ?? .text(scalar.text)
    }
}

extension YAMLNode {
    /// A JSON pointer; nil, and an error, when it is none.
    func pointer(_ diagnostics: inout Diagnostics) -> JSONPointer? {
        guard let text = string(&diagnostics) else { return nil }
        do throws(JSONPointerError) {
            return try JSONPointer(text)
        } catch {
            diagnostics.error(at: location, error.message)
            return nil
        }
    }
}
