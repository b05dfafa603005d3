import Events
import JSON

/// What is made of a value of a template, behind a `|`.
enum TemplateFilter: Sendable, Hashable {
    /// A blank value counts as absent.
    case filled
    /// In the place of what is absent, null or blank.
    case fallback(TemplateValue)
    /// The same, another field of the event, where that has something; of a text a part of it.
    case alternative(FieldReference, NamePart)
    case date(DateForm)
    /// Without outer white space.
    case trim
    /// Unicode's lower case.
    case lower
    /// Some of the words of a text.
    case words(NamePart)
    /// Whatever it is, as a text.
    case text
    /// A number, also one that stands in a text.
    case number
    /// A boolean, also `true`, `false`, `yes` and `no` in a text, in any case.
    case boolean
    /// A text with one of these characters counts as absent.
    case without([Unicode.Scalar])
    /// A text with each `'` doubled, for a key in an OData URL (OData 4.01, URL conventions, section 2).
    case odata
    /// A text with `&`, `<` and `>` as Slack wants them written, so that nobody is called by a visitor's name.
    case slack

    func apply(to value: TemplateValue?, _ event: EventView) -> TemplateValue? {
        if case .fallback(let fallback) = self {
            guard let value, !value.isBlank(event) else { return fallback }
            return value
        }
        if case .alternative(let field, let part) = self {
            if let value, !value.isBlank(event) { return value }
            guard let place = field.value(in: event), event.tape.kind(place) != .null else { return value }
            return Self.part(part, of: .place(place), event) ?? value
        }
        guard let value else { return nil }
        switch self {
        case .filled: return value.isBlank(event) ? nil : value
        case .fallback, .alternative: return value
        case .date(let form): return form.value(value, event)
        case .trim: return edited(value, event) { Self.trimmed($0) }
        case .lower: return edited(value, event) { $0.lowercased() }
        case .words(let part): return Self.part(part, of: value, event)
        case .without(let characters):
            guard let text = value.string(event) else { return value }
            return String(decoding: text, as: UTF8.self).unicodeScalars.contains { characters.contains($0) }
                ? nil : value
        case .odata: return escaped(value, event) { $0 == UInt8(ascii: "'") ? "''" : nil }
        case .slack: return escaped(value, event, Self.slackEscape)
        case .text:
            var text: [UInt8] = []
            value.append(event, to: &text)
            return .text(text)
        case .number: return Self.number(value, event)
        case .boolean: return Self.boolean(value, event)
        }
    }

    private static func slackEscape(_ byte: UInt8) -> StaticString? {
        switch byte {
        case UInt8(ascii: "&"): "&amp;"
        case UInt8(ascii: "<"): "&lt;"
        case UInt8(ascii: ">"): "&gt;"
        default: nil
        }
    }

    /// Byte by byte: to a String a character and the accent behind it are one, and no character that is looked for.
    private func escaped(
        _ value: TemplateValue, _ event: EventView, _ escape: (UInt8) -> StaticString?
    ) -> TemplateValue {
        guard let text = value.string(event) else { return value }
        var result: [UInt8] = []
        result.reserveCapacity(text.count + 16)
        for byte in text {
            if let escape = escape(byte) {
                result.append(contentsOf: escape.description.utf8)
            } else {
                result.append(byte)
            }
        }
        return .text(result)
    }

    /// What is no text stays as it is.
    private func edited(
        _ value: TemplateValue, _ event: EventView, _ edit: (String) -> String
    ) -> TemplateValue {
        guard let text = value.string(event) else { return value }
        return .text(Array(edit(String(decoding: text, as: UTF8.self)).utf8))
    }

    private static func trimmed(_ text: String) -> String {
        let isSpace: (Unicode.Scalar) -> Bool = { $0.properties.isWhitespace }
        let scalars = text.unicodeScalars
        let rest = scalars.drop(while: isSpace)
        guard let last = rest.lastIndex(where: { !isSpace($0) }) else { return "" }
        return String(rest[...last])
    }

    /// What is no text stays as it is. Nil where nothing is left.
    private static func part(_ part: NamePart, of value: TemplateValue, _ event: EventView) -> TemplateValue? {
        guard part != .whole, let text = value.string(event) else { return value }
        return part.taken(from: String(decoding: text, as: UTF8.self)).map { .text(Array($0.utf8)) }
    }

    private static func number(_ value: TemplateValue, _ event: EventView) -> TemplateValue? {
        guard let text = value.string(event) else {
            if case .place(let place) = value {
                let kind = event.tape.kind(place)
                return kind == .integer || kind == .decimal ? value : nil
            }
            return value
        }
        let trimmed = Array(trimmed(String(decoding: text, as: UTF8.self)).utf8)
        guard trimmed.count <= 64, let tape = try? JSONParser().parse(trimmed), tape.double(tape.root) != nil,
            tape.span(tape.root) == trimmed.indices
        else { return nil }
        return .json(trimmed)
    }

    private static func boolean(_ value: TemplateValue, _ event: EventView) -> TemplateValue? {
        guard let text = value.string(event) else {
            if case .place(let place) = value { return event.tape.bool(place) == nil ? nil : value }
            return value
        }
        return switch trimmed(String(decoding: text, as: UTF8.self)).lowercased() {
        case "true", "yes": .json(Array("true".utf8))
        case "false", "no": .json(Array("false".utf8))
        default: nil
        }
    }
}
