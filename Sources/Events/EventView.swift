package import JSON

/// A canonical event as the log keeps it, parsed once and read by field: by the rules, the formats and the targets.
package struct EventView: Sendable {
    package let tape: JSONTape
    /// The place of `data`.
    package let data: JSONIndex

    /// Nil when the text is not a CloudEvent with `data`.
    package init?(_ tape: JSONTape) {
        guard let data = tape.member(tape.root, "data"), tape.kind(data) == .object else { return nil }
        self.tape = tape
        self.data = data
    }

    /// - Throws: `JSONError` when the text is not JSON; nil when it is not a CloudEvent with `data`.
    package init?(parsing payload: [UInt8], with parser: JSONParser) throws(JSONError) {
        self.init(try parser.parse(payload))
    }

    /// The event's text as the log keeps it.
    package var payload: [UInt8] { tape.bytes }

    /// An envelope attribute, such as `type` or `subject`.
    package func attribute(_ name: StaticString) -> String? {
        tape.member(tape.root, name).flatMap(tape.text)
    }

    package var id: EventID? { attribute("id").flatMap { EventID(hex: $0) } }
    package var type: String { attribute("type") ?? "" }
    package var time: Timestamp? { attribute("time").flatMap { Timestamp($0) } }
    package var partitionKey: String { attribute("partitionkey") ?? "" }

    /// The field's place; nil when absent.
    package func value(_ field: EventField) -> JSONIndex? {
        var place = data
        for component in field.components {
            guard let next = tape.member(place, component) else { return nil }
            place = next
        }
        return place
    }

    /// A field's scalar as text; nil when absent, null, a list or an object.
    package func text(_ field: EventField) -> String? {
        value(field).flatMap(tape.scalarText)
    }

    /// The sender's own payload, less what the field policy removed.
    package var original: JSONIndex? { tape.member(data, "original") }
}
