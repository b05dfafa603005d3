import Testing

@testable import YAML

/// The diagnostics of a text that must not parse, one a line.
func complaints(_ text: String) -> String { complaints(Array(text.utf8)) }

func complaints(_ bytes: [UInt8]) -> String {
    do throws(Diagnostics) {
        _ = try parseYAML(bytes, file: "a.yaml")
        return "(taken)"
    } catch {
        return error.description
    }
}

func parsed(_ text: String) throws -> YAMLNode {
    try #require(try parseYAML(Array(text.utf8), file: "a.yaml"))
}

/// A node's shape without its locations.
func shape(_ node: YAMLNode?) -> String {
    guard let node else { return "nil" }
    switch node.content {
    case .scalar(let scalar): return scalar.isPlain ? scalar.text : "\"\(scalar.text)\""
    case .sequence(let elements): return "[" + elements.map(shape).joined(separator: ",") + "]"
    case .mapping(let entries):
        return "{" + entries.map { "\($0.name):\(shape($0.value))" }.joined(separator: ",") + "}"
    }
}
