import Events
import JSON
import YAML

/// `form:` of an http target: a body of `application/x-www-form-urlencoded` with places for an event's values. Each
/// stays inside its field, whatever a visitor typed.
struct FormBody: Sendable {
    static let contentType = "application/x-www-form-urlencoded"

    /// An object: a member a field.
    let fields: BodyTemplate

    /// A list is a field for each of its elements, null an empty one; what has members is written as JSON.
    func render(_ event: EventView, _ policy: ContentPolicy) throws(RenderingError) -> [UInt8] {
        let tape: JSONTape
        do throws(JSONError) {
            tape = try JSONParser().parse(fields.render(event, policy))
        } catch {
            throw RenderingError("the form cannot be written: \(error.message)")
        }
        var form: [UInt8] = []
        for (key, value) in tape.members(tape.root) {
            let name = tape.text(key) ?? ""
            guard tape.kind(value) == .array else {
                FormEncoding.append(name, Self.text(value, tape), to: &form)
                continue
            }
            for element in tape.elements(value) { FormEncoding.append(name, Self.text(element, tape), to: &form) }
        }
        return form
    }

    private static func text(_ value: JSONIndex, _ tape: JSONTape) -> [UInt8] {
        switch tape.kind(value) {
        case .array, .object: return Array(tape.bytes[tape.span(value)])
        default:
            var text: [UInt8] = []
            tape.appendText(value, to: &text)
            return text
        }
    }
}

extension FormBody {
    /// Reads the names and what stands behind them: a text with references, a number, true or false, or a list of these.
    /// Nil when an error was reported.
    init?(_ node: YAMLNode, _ policy: ContentPolicy, _ diagnostics: inout Diagnostics) {
        guard let entries = node.mapping("form", &diagnostics) else { return nil }
        for entry in entries {
            let values = entry.value.elements ?? [entry.value]
            guard let nested = values.first(where: { $0.scalar == nil }) else { continue }
            diagnostics.error(
                at: nested.location,
                "a field of a form is a text, or a list of texts, found \(nested.kindName); "
                    + "name it as the service documents, such as \"visitor[name]\"")
            return nil
        }
        guard let fields = BodyTemplate(node, policy, &diagnostics) else { return nil }
        guard !entries.isEmpty else {
            diagnostics.error(at: node.location, "this form has no field: write a name and a value")
            return nil
        }
        self.fields = fields
    }
}
