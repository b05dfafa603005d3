import JSON
import TimeZones
import YAML

/// Reads what stands between the braces of a reference: `NAME|FILTER|FILTER:ARGUMENT`.
struct TemplateReferenceDecoder {
    let policy: ContentPolicy

    private static let filters = [
        "filled", "default", "or", "or_last_word", "or_first_words", "last_word", "first_words", "trim", "lower",
        "text", "number", "boolean", "without", "odata", "slack", "rfc3339",
        "epoch",
        "epoch_s", "epoch_ms", "date", "in",
    ]
    /// Those that take a text behind a colon.
    private static let withArgument: Set<String> = [
        "default", "or", "or_last_word", "or_first_words", "date", "in", "without",
    ]

    /// Nil when an error was reported.
    /// - Parameter isOptional: it was written `{?…}`.
    func reference(
        _ text: String, isOptional: Bool, _ node: YAMLNode, _ diagnostics: inout Diagnostics
    ) -> TemplateReference? {
        let parts = Self.parts(text)
        guard let field = field(parts[0], hasFilters: parts.count > 1, node, &diagnostics) else { return nil }
        var reference = TemplateReference(field: field, location: node.location)
        for (index, part) in parts.enumerated().dropFirst() {
            guard let filter = filter(part, after: reference, node, &diagnostics) else { return nil }
            if case .fallback = filter {
                guard !isOptional else {
                    diagnostics.error(
                        at: node.location, "{?…} leaves an absent value out, so its `default:` is never written")
                    return nil
                }
                guard index == parts.count - 1 else {
                    diagnostics.error(at: node.location, "`default:` comes last: what follows it is written as it is")
                    return nil
                }
            }
            // A zone changes the date before it.
            if part.hasPrefix("in:") { reference.filters.removeLast() }
            reference.filters.append(filter)
        }
        return reference
    }

    /// At each `|`; two of them are one that belongs to the text.
    private static func parts(_ text: String) -> [String] {
        var parts = [""]
        var rest = text[...]
        while let character = rest.popFirst() {
            if character != "|" {
                parts[parts.count - 1].append(character)
            } else if rest.first == "|" {
                rest.removeFirst()
                parts[parts.count - 1].append("|")
            } else {
                parts.append("")
            }
        }
        return parts
    }

    private func field(
        _ name: String, hasFilters: Bool, _ node: YAMLNode, _ diagnostics: inout Diagnostics
    ) -> FieldReference? {
        guard !hasFilters || name.last != " " else {
            diagnostics.error(
                at: node.location, "a space stands before the `|` of {\(displayable(name))|…}: leave it out")
            return nil
        }
        guard let field = FieldReference(name) else {
            diagnostics.error(
                at: node.location, "there is no field {\(displayable(name))}",
                didYouMean: nearest(name, among: FieldReference.names))
            return nil
        }
        if field == .original, !policy.includesOriginal {
            diagnostics.error(
                at: node.location, "{original} cannot be sent by a target with `original: false` or a field policy")
            return nil
        }
        return field
    }

    private func filter(
        _ text: String, after reference: TemplateReference, _ node: YAMLNode, _ diagnostics: inout Diagnostics
    ) -> TemplateFilter? {
        let halves = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let name = halves[0]
        let argument = halves.count == 2 ? halves[1] : nil
        guard Self.filters.contains(name) else {
            diagnostics.error(
                at: node.location, "there is no filter `|\(displayable(name))`",
                didYouMean: nearest(name, among: Self.filters))
            return nil
        }
        guard argument == nil || Self.withArgument.contains(name) else {
            diagnostics.error(at: node.location, "`|\(name)` takes nothing behind a colon")
            return nil
        }
        switch name {
        case "filled": return .filled
        case "trim": return .trim
        case "lower": return .lower
        case "text": return .text
        case "number": return .number
        case "boolean": return .boolean
        case "odata": return .odata
        case "slack": return .slack
        case "default":
            guard let argument else {
                diagnostics.error(at: node.location, "`|default` needs a value: {…|default:unknown}")
                return nil
            }
            return .fallback(Self.fallback(argument))
        case "or": return alternative(argument ?? "", .whole, reference, node, &diagnostics)
        case "or_last_word": return alternative(argument ?? "", .lastWord, reference, node, &diagnostics)
        case "or_first_words": return alternative(argument ?? "", .firstWords, reference, node, &diagnostics)
        case "last_word": return .words(.lastWord)
        case "first_words": return .words(.firstWords)
        case "without":
            guard let argument, !argument.isEmpty else {
                diagnostics.error(at: node.location, "`|without` needs characters: {…|without:/?#}")
                return nil
            }
            return .without(Array(argument.unicodeScalars))
        case "in": return zone(argument ?? "", after: reference, node, &diagnostics)
        default: return date(name, argument, reference, node, &diagnostics)
        }
    }

    /// A JSON literal or a JSON string keeps its type, everything else is a text as it stands.
    private static func fallback(_ text: String) -> TemplateValue {
        let bytes = Array(text.utf8)
        guard let tape = try? JSONParser().parse(bytes), tape.span(tape.root) == bytes.indices else {
            return .text(bytes)
        }
        switch tape.kind(tape.root) {
        case .array, .object: return .text(bytes)
        case .string: return .text(Array((tape.text(tape.root) ?? "").utf8))
        default: return .json(bytes)
        }
    }

    private func alternative(
        _ name: String, _ part: NamePart, _ reference: TemplateReference, _ node: YAMLNode,
        _ diagnostics: inout Diagnostics
    ) -> TemplateFilter? {
        guard !name.isEmpty else {
            diagnostics.error(
                at: node.location, "`|or:` needs the field to take instead: {visitor.last_name|or:visitor.name}")
            return nil
        }
        guard let field = field(name, hasFilters: false, node, &diagnostics) else { return nil }
        guard !field.isObject, !field.isWholeEvent, !reference.field.isObject, !reference.field.isWholeEvent else {
            diagnostics.error(at: node.location, "`|or:` stands between single values, not whole objects")
            return nil
        }
        let isDate = reference.filters.contains { if case .date = $0 { true } else { false } }
        guard !isDate else {
            diagnostics.error(
                at: node.location, "`|or:` comes before the form of a date: {visit.started_at|or:time|date}")
            return nil
        }
        return .alternative(field, part)
    }

    // MARK: dates

    private func date(
        _ name: String, _ pattern: String?, _ reference: TemplateReference, _ node: YAMLNode,
        _ diagnostics: inout Diagnostics
    ) -> TemplateFilter? {
        let hasDate = reference.filters.contains { if case .date = $0 { true } else { false } }
        guard !hasDate else {
            diagnostics.error(at: node.location, "a date is written in one form only: leave `|\(name)` out")
            return nil
        }
        if let field = reference.fields.first(where: { !$0.mayBeTime }) {
            diagnostics.error(
                at: node.location,
                "{\(field.spelled)} is no time, so `|\(name)` cannot write it; times are "
                    + FieldReference.times.joined(separator: ", "))
            return nil
        }
        switch name {
        case "rfc3339": return .date(DateForm(style: .rfc3339))
        case "epoch_s": return .date(DateForm(style: .epochSeconds))
        case "epoch_ms": return .date(DateForm(style: .epochMilliseconds))
        case "epoch": return .date(DateForm(style: .epochDecimal))
        default: return pieces(pattern, node, &diagnostics).map { .date(DateForm(style: .pattern($0))) }
        }
    }

    private func pieces(
        _ pattern: String?, _ node: YAMLNode, _ diagnostics: inout Diagnostics
    ) -> [DateForm.Piece]? {
        guard let pattern else { return DateForm.day }
        var pieces: [DateForm.Piece] = []
        var literal: [UInt8] = []
        var rest = pattern.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            guard scalar == "%" else {
                literal.append(contentsOf: String(scalar).utf8)
                continue
            }
            guard let letter = rest.popFirst(), DateForm.letters.unicodeScalars.contains(letter) else {
                diagnostics.error(
                    at: node.location,
                    "`\(displayable(pattern))` is no pattern of a date: behind each % stands one of "
                        + DateForm.letters.map { String($0) }.joined(separator: " "))
                return nil
            }
            if !literal.isEmpty { pieces.append(.literal(literal)) }
            literal = []
            pieces.append(.field(UInt8(ascii: letter)))
        }
        if !literal.isEmpty { pieces.append(.literal(literal)) }
        return pieces
    }

    private func zone(
        _ name: String, after reference: TemplateReference, _ node: YAMLNode, _ diagnostics: inout Diagnostics
    ) -> TemplateFilter? {
        guard case .date(var form)? = reference.filters.last else {
            diagnostics.error(
                at: node.location,
                "`|in:` stands behind the form of a date: {time|rfc3339|in:site}, {time|date|in:site}")
            return nil
        }
        switch form.style {
        case .epochSeconds, .epochMilliseconds, .epochDecimal:
            diagnostics.error(at: node.location, "seconds since 1970 are the same in every zone: leave `|in:` out")
            return nil
        case .rfc3339, .pattern: break
        }
        if name == "site" {
            form.zone = .site
        } else if let rules = TimeZoneDatabase.system.zone(name) {
            form.zone = .named(rules)
        } else {
            diagnostics.error(
                at: node.location,
                "`|in:` takes `site` or a time zone such as Europe/London, found `\(displayable(name))`",
                didYouMean: nearest(name, among: ["site"] + TimeZoneDatabase.system.names()))
            return nil
        }
        return .date(form)
    }
}
