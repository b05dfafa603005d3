/// Puts values in place of `${env:NAME}` and `${file:PATH}` in all scalars that are not keys; `$${` stands for a
/// literal `${`. One line break at a file's end is taken off.
/// - Parameters:
///   - environment: the value of a variable, nil when unset.
///   - readFile: a file's text. What it throws is shown to people.
///   - unset: whether a variable or file that is not there is an error (the program runs) or a warning (it only
///     looks). With a warning the scalar keeps its reference as text and is marked as not resolved.
package func resolveReferences(
    _ node: YAMLNode, environment: (String) -> String?, readFile: (String) throws -> String,
    unset: Diagnostic.Severity, _ diagnostics: inout Diagnostics
) -> YAMLNode {
    var node = node
    switch node.content {
    case .scalar(let scalar):
        guard scalar.text.utf8.contains(UInt8(ascii: "$")) else { return node }
        var resolver = ReferenceResolver(node.location, scalar, unset, diagnostics)
        node.content = .scalar(resolver.resolve(environment: environment, readFile: readFile))
        diagnostics = resolver.diagnostics
    case .sequence(let elements):
        node.content = .sequence(
            elements.map {
                resolveReferences($0, environment: environment, readFile: readFile, unset: unset, &diagnostics)
            })
    case .mapping(let entries):
        node.content = .mapping(
            entries.map {
                let value = resolveReferences(
                    $0.value, environment: environment, readFile: readFile, unset: unset, &diagnostics)
                return YAMLEntry(key: $0.key, value: value)
            })
    }
    return node
}

private struct ReferenceResolver {
    private(set) var diagnostics: Diagnostics
    private let location: SourceLocation
    private let scalar: YAMLScalar
    private let unset: Diagnostic.Severity

    init(_ location: SourceLocation, _ scalar: YAMLScalar, _ unset: Diagnostic.Severity, _ diagnostics: Diagnostics) {
        self.location = location
        self.scalar = scalar
        self.unset = unset
        self.diagnostics = diagnostics
    }

    /// Pieces in the order written: literal text, and what stands inside `${` and `}`.
    private enum Piece {
        case literal(String)
        case reference(String, column: Int)
        case unclosed(column: Int)
    }

    mutating func resolve(
        environment: (String) -> String?, readFile: (String) throws -> String
    ) -> YAMLScalar {
        var text = ""
        var isReference = false
        var isResolved = true
        for piece in Self.pieces(scalar.text) {
            switch piece {
            case .literal(let literal):
                text += literal
            case .unclosed(let column):
                diagnostics.error(
                    at: place(column), "`${` is never closed; add `}`, or write `$${` for the two characters")
                return scalar
            case .reference(let body, let column):
                switch value(of: body, at: place(column), environment: environment, readFile: readFile) {
                case .value(let value):
                    text += value
                    isReference = true
                case .missing:
                    isReference = true
                    isResolved = false
                case .notOurs:
                    text += "${\(body)}"
                }
            }
        }
        return YAMLScalar(
            text: isResolved ? text : scalar.text, style: scalar.style, reference: isReference ? scalar.text : nil,
            isResolved: isResolved)
    }

    private enum Value {
        case value(String)
        case missing
        /// Something else in braces, such as a template's field.
        case notOurs
    }

    private mutating func value(
        of body: String, at place: SourceLocation, environment: (String) -> String?,
        readFile: (String) throws -> String
    ) -> Value {
        guard let colon = body.firstIndex(of: ":") else {
            if Self.looksLikeVariable(body) {
                diagnostics.error(
                    at: place, "`${\(displayable(body))}` does not say what it is", didYouMean: "${env:\(body)}")
                return .missing
            }
            return .notOurs
        }
        let kind = String(body[..<colon])
        let name = String(body[body.index(after: colon)...])
        let written = displayable("${\(body)}")
        switch kind {
        case "env":
            guard !name.isEmpty, !name.contains("=") else {
                diagnostics.error(at: place, "`\(written)` needs a variable's name: ${env:NAME}")
                return .missing
            }
            if let value = environment(name) { return .value(value) }
            report("the environment variable \(displayable(name)) is not set", at: place)
        case "file":
            guard !name.isEmpty else {
                diagnostics.error(at: place, "`\(written)` needs a path: ${file:/run/secrets/name}")
                return .missing
            }
            do {
                return .value(Self.withoutLastLineBreak(try readFile(name)))
            } catch {
                report("cannot read the file of `\(written)`: \(displayable(String(describing: error)))", at: place)
            }
        default:
            let suggestion = nearest(kind, among: ["env", "file"]).map { "${\($0):\(name)}" }
            diagnostics.error(
                at: place, "unknown reference `\(written)`; there are ${env:NAME} and ${file:PATH}",
                didYouMean: suggestion)
        }
        return .missing
    }

    private mutating func report(_ message: String, at place: SourceLocation) {
        diagnostics.add(Diagnostic(severity: unset, location: place, message: message))
    }

    /// Exact where the text stands on one line without quotes; the scalar's own place otherwise.
    private func place(_ column: Int) -> SourceLocation {
        scalar.isPlain ? location.advanced(by: column) : location
    }

    private static func looksLikeVariable(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy { 0x41...0x5A ~= $0 || 0x30...0x39 ~= $0 || $0 == UInt8(ascii: "_") }
    }

    private static func withoutLastLineBreak(_ text: String) -> String {
        var scalars = Substring(text).unicodeScalars
        if scalars.last == "\n" { scalars.removeLast() }
        if scalars.last == "\r", text.unicodeScalars.last == "\n" { scalars.removeLast() }
        return String(scalars)
    }

    private static func pieces(_ text: String) -> [Piece] {
        let scalars = Array(text.unicodeScalars)
        var pieces: [Piece] = []
        var literal = String.UnicodeScalarView()
        var position = 0
        func stands(_ word: [Unicode.Scalar], at position: Int) -> Bool {
            scalars[position...].starts(with: word)
        }
        while position < scalars.count {
            if stands(["$", "$", "{"], at: position) {
                literal.append(contentsOf: ["$", "{"])
                position += 3
            } else if stands(["$", "{"], at: position) {
                guard let end = scalars[position...].firstIndex(of: "}") else {
                    return pieces + [.unclosed(column: position)]
                }
                pieces.append(.literal(String(literal)))
                literal = String.UnicodeScalarView()
                let body = String(String.UnicodeScalarView(scalars[(position + 2)..<end]))
                pieces.append(.reference(body, column: position))
                position = end + 1
            } else {
                literal.append(scalars[position])
                position += 1
            }
        }
        return pieces + [.literal(String(literal))]
    }
}
