import Events
import JSON
import YAML

/// The STRUCTURED-DATA of a message (RFC 5424, section 6.3): elements named `NAME@ENTERPRISE`, each with fields of the
/// event.
struct StructuredData: Sendable, Hashable {
    struct Element: Sendable, Hashable {
        /// With the enterprise number.
        var id: String
        var parameters: [Parameter]
    }

    struct Parameter: Sendable, Hashable {
        var name: String
        var field: FieldReference
    }

    var elements: [Element] = []

    /// Of a value, in bytes before it is escaped.
    private static let maximumValue = 1024

    /// What the event does not have is left out, an element of which nothing is left as well; `-` when there is none.
    /// - Parameter limit: in bytes, at least 1. Values are cut shorter to keep to it; where that is not enough, `-` is
    ///   written.
    func append(for event: EventView, limit: Int, to message: inout [UInt8]) {
        let start = message.count
        var longest = Self.maximumValue
        repeat {
            message.removeSubrange(start...)
            for element in elements { append(element, of: event, longest, to: &message) }
            longest /= 2
        } while message.count - start > limit && longest > 0
        if message.count - start > limit { message.removeSubrange(start...) }
        if message.count == start { message.append(UInt8(ascii: "-")) }
    }

    private func append(_ element: Element, of event: EventView, _ longest: Int, to message: inout [UInt8]) {
        let beginning = message.count
        message.append(UInt8(ascii: "["))
        message.append(contentsOf: element.id.utf8)
        let empty = message.count
        for parameter in element.parameters { append(parameter, of: event, longest, to: &message) }
        if message.count == empty {
            message.removeSubrange(beginning...)
        } else {
            message.append(UInt8(ascii: "]"))
        }
    }

    private func append(_ parameter: Parameter, of event: EventView, _ longest: Int, to message: inout [UInt8]) {
        guard let place = parameter.field.value(in: event), event.tape.kind(place) != .null else { return }
        var value: [UInt8] = []
        if event.tape.scalarText(place) != nil {
            event.tape.appendText(place, to: &value)
        } else {
            value = Array(event.tape.bytes[event.tape.span(place)])
        }
        message.append(contentsOf: " \(parameter.name)=\"".utf8)
        for byte in Self.cut(value, to: longest) {
            switch byte {
            // Only these three are escaped.
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "]"):
                message.append(UInt8(ascii: "\\"))
                message.append(byte)
            case 0x00..<0x20, 0x7F: message.append(UInt8(ascii: " "))
            default: message.append(byte)
            }
        }
        message.append(UInt8(ascii: "\""))
    }

    /// At a whole character.
    private static func cut(_ value: [UInt8], to longest: Int) -> ArraySlice<UInt8> {
        guard value.count > longest else { return value[...] }
        var end = longest
        while end > 0, value[end] & 0xC0 == 0x80 { end -= 1 }
        return value[..<end]
    }
}

extension StructuredData {
    /// Names that IANA gave a meaning of their own.
    private static let registered = ["timeQuality", "origin", "meta"]
    private static let maximumName = 32

    /// Reads `structured_data: {NAME: {PARAMETER: FIELD}}`.
    /// - Parameter enterprise: the number behind each name.
    init(_ node: YAMLNode, enterprise: String, _ diagnostics: inout Diagnostics) {
        for entry in Self.entries(node, "structured_data", &diagnostics) {
            let id = "\(entry.name)@\(enterprise)"
            guard Self.isName(entry.name), !entry.name.contains("@"), id.utf8.count <= Self.maximumName,
                !Self.registered.contains(entry.name)
            else {
                diagnostics.error(
                    at: entry.key.location,
                    "the name of an element is visible ASCII without `=`, `]`, `\"` and `@`, with the enterprise number at most \(Self.maximumName) characters, and none of \(Self.registered.joined(separator: ", "))"
                )
                continue
            }
            let name = "structured_data.\(displayable(entry.name))"
            let parameters = Self.entries(entry.value, name, &diagnostics)
                .compactMap { Self.parameter($0, &diagnostics) }
            elements.append(Element(id: id, parameters: parameters))
        }
    }

    private static func entries(
        _ node: YAMLNode, _ name: String, _ diagnostics: inout Diagnostics
    ) -> [YAMLEntry] {
        guard let entries = node.mapping(name, &diagnostics) else { return [] }
        if entries.isEmpty { diagnostics.error(at: node.location, "`\(name):` is empty: leave it out, or fill it") }
        return entries
    }

    private static func parameter(_ entry: YAMLEntry, _ diagnostics: inout Diagnostics) -> Parameter? {
        guard isName(entry.name), entry.name.utf8.count <= maximumName else {
            diagnostics.error(
                at: entry.key.location,
                "the name of a parameter is at most \(maximumName) characters of visible ASCII without `=`, `]` and `\"`"
            )
            return nil
        }
        guard let text = entry.value.name(&diagnostics), let scalar = entry.value.scalar, scalar.isResolved else {
            return nil
        }
        guard let field = FieldReference(text), !field.isWholeEvent else {
            diagnostics.error(
                at: entry.value.location, "expected a field of the event, found `\(scalar.displayText)`",
                didYouMean: scalar.reference == nil ? nearest(text, among: FieldReference.names) : nil)
            return nil
        }
        return Parameter(name: entry.name, field: field)
    }

    private static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { 0x21...0x7E ~= $0 && !"=]\"".utf8.contains($0) }
    }
}
