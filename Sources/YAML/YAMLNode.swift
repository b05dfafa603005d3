/// A value of a YAML file and where it stands.
package struct YAMLNode: Sendable {
    package var location: SourceLocation
    package var content: YAMLContent

    package init(location: SourceLocation, content: YAMLContent) {
        self.location = location
        self.content = content
    }
}

package enum YAMLContent: Sendable {
    case scalar(YAMLScalar)
    case sequence([YAMLNode])
    /// In the order written; keys are scalars and differ from one another.
    case mapping([YAMLEntry])
}

package struct YAMLEntry: Sendable {
    /// A scalar.
    package var key: YAMLNode
    package var value: YAMLNode

    package init(key: YAMLNode, value: YAMLNode) {
        self.key = key
        self.value = value
    }

    /// The key's text.
    package var name: String { key.scalar?.text ?? "" }
}

/// How a scalar is written.
package enum YAMLStyle: Sendable {
    /// Without quotes.
    case plain
    case singleQuoted
    case doubleQuoted
    /// After `|` or `>`.
    case block
}

/// A scalar as written: `No`, `04567`, `22:00` and `1e3` are these texts until a reader wants a number or a boolean.
package struct YAMLScalar: Sendable {
    /// What few scalars have, kept apart so that the others are small.
    private final class Resolution: Sendable {
        let reference: String?
        let isResolved: Bool

        init(reference: String?, isResolved: Bool) {
            self.reference = reference
            self.isResolved = isResolved
        }
    }

    /// The text, with quotes and escapes undone and references resolved.
    package var text: String
    package let style: YAMLStyle
    private let resolution: Resolution?

    /// Written without quotes.
    package var isPlain: Bool { style == .plain }
    /// The text before its `${env:…}` and `${file:…}` were resolved; `text` is then a secret.
    package var reference: String? { resolution?.reference }
    /// False while a reference in it has no value (a warning was given); `text` is then the reference as written.
    package var isResolved: Bool { resolution?.isResolved ?? true }

    package init(text: String, style: YAMLStyle, reference: String? = nil, isResolved: Bool = true) {
        self.text = text
        self.style = style
        let isPlainText = reference == nil && isResolved
        resolution = isPlainText ? nil : Resolution(reference: reference, isResolved: isResolved)
    }

    package init(text: String, isPlain: Bool, reference: String? = nil, isResolved: Bool = true) {
        self.init(
            text: text, style: isPlain ? .plain : .doubleQuoted, reference: reference, isResolved: isResolved)
    }

    /// What may be shown to people: the reference in place of what it stands for; control characters escaped, cut to
    /// a readable length.
    package var displayText: String { displayable(reference ?? text) }

    /// Nothing at all (`key:`), or `null` or `~` without quotes.
    package var isNull: Bool {
        isPlain && reference == nil && ["", "~", "null", "Null", "NULL"].contains(text)
    }
}

extension YAMLNode {
    package var scalar: YAMLScalar? {
        if case .scalar(let scalar) = content { scalar } else { nil }
    }

    package var elements: [YAMLNode]? {
        if case .sequence(let elements) = content { elements } else { nil }
    }

    package var entries: [YAMLEntry]? {
        if case .mapping(let entries) = content { entries } else { nil }
    }

    /// The value of a key of a mapping; nil when there is none.
    package subscript(_ key: String) -> YAMLNode? {
        entries?.first { $0.name == key }?.value
    }

    package var isNull: Bool { scalar?.isNull ?? false }

    /// What it is, in words for a message.
    package var kindName: String {
        switch content {
        case .scalar(let scalar): scalar.isNull ? "nothing" : "`\(scalar.displayText)`"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }
}

/// Text made safe for a message on one line: control and directional characters escaped, at most 80 characters.
package func displayable(_ text: String) -> String {
    var result = ""
    var count = 0
    for scalar in text.unicodeScalars {
        guard count < 80 else { return result + "…" }
        count += 1
        switch scalar {
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        default:
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator, .format, .privateUse, .unassigned:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
    }
    return result
}
