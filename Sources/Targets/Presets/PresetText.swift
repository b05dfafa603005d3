import YAML

/// A preset's text with `${parameter:NAME}` in it, or `${parameter:?NAME}`: left out with its key where it is not given.
enum PresetText {
    enum Part {
        case literal(String)
        case parameter(String, isOptional: Bool)
        /// Something else between `${` and `}`.
        case foreign(String)
    }

    private static let mark = "${parameter:"

    static func parts(_ text: String) -> [Part] {
        var parts: [Part] = []
        var rest = text[...]
        while let start = rest.firstRange(of: "${") {
            guard let end = rest[start.upperBound...].firstIndex(of: "}") else { break }
            if start.lowerBound > rest.startIndex { parts.append(.literal(String(rest[..<start.lowerBound]))) }
            let body = rest[start.lowerBound..<end]
            if body.hasPrefix(mark) {
                let name = body.dropFirst(mark.count)
                parts.append(.parameter(String(name.drop { $0 == "?" }), isOptional: name.hasPrefix("?")))
            } else {
                parts.append(.foreign(String(rest[start.lowerBound...end])))
            }
            rest = rest[rest.index(after: end)...]
        }
        if !rest.isEmpty || parts.isEmpty { parts.append(.literal(String(rest))) }
        return parts
    }

    /// Reports references to what is no parameter, and those to one that may be missing where that was not thought of.
    static func check(_ node: YAMLNode, _ parameters: [PresetParameter], _ diagnostics: inout Diagnostics) {
        switch node.content {
        case .sequence(let elements): for element in elements { check(element, parameters, &diagnostics) }
        case .mapping(let entries):
            for entry in entries {
                check(entry.key, parameters, &diagnostics)
                check(entry.value, parameters, &diagnostics)
            }
        case .scalar(let scalar):
            for part in parts(scalar.text) { check(part, at: node.location, parameters, &diagnostics) }
        }
    }

    private static func check(
        _ part: Part, at location: SourceLocation, _ parameters: [PresetParameter], _ diagnostics: inout Diagnostics
    ) {
        switch part {
        case .literal: break
        case .foreign(let text):
            diagnostics.error(
                at: location,
                "`\(displayable(text))` has no meaning in a preset, which knows its parameters only: let it be one")
        case .parameter(let name, let isOptional):
            guard let parameter = parameters.first(where: { $0.name == name }) else {
                diagnostics.error(
                    at: location, "there is no parameter `\(displayable(name))`",
                    didYouMean: nearest(name, among: parameters.map(\.name)))
                return
            }
            if !isOptional, !parameter.isRequired, parameter.fallback == nil {
                diagnostics.error(
                    at: location, "`\(name)` may not be given: it needs a default, or write ${parameter:?\(name)}")
            }
        }
    }
}
