package import Events
package import JSON

extension FieldPolicy {
    /// The event as a target under this policy is given it. What the policy does not name is copied as it stands; subject
    /// and key are made of the ids that are left.
    /// - Throws: `JSONError` for an event larger than can be read.
    package func view(of event: EventView, with parser: JSONParser) throws(JSONError) -> EventView {
        let tape = event.tape
        var writer = JSONWriter(reserving: event.payload.count)
        let subject = changesSubject ? EventSubject(event, self) : nil
        writer.beginObject()
        for (key, value) in tape.members(tape.root) {
            if value == event.data {
                writer.key("data")
                write(event.data, of: tree, tape, &writer)
            } else if changesSubject, tape.equals(key, "subject") {
                guard let subject else { continue }
                writer.key("subject")
                writer.string(utf8: subject.attribute)
            } else if changesSubject, tape.equals(key, "partitionkey") {
                writer.key("partitionkey")
                writer.string(utf8: subject?.partitionKey(event, self) ?? Array((event.attribute("id") ?? "").utf8))
            } else if let time, tape.equals(key, "time") {
                writer.key("time")
                writer.string(tape.text(value).flatMap(time.coarsened) ?? "1970-01-01T00:00:00.000Z")
            } else {
                writer.key(tape.text(key) ?? "")
                writer.raw(tape, value)
            }
        }
        writer.endObject()
        guard let view = try EventView(parsing: writer.bytes, with: parser) else { return event }
        return view
    }

    /// Members that are in no table, `original` among them, are left out.
    private func write(_ object: JSONIndex, of nodes: [FieldNode], _ tape: JSONTape, _ writer: inout JSONWriter) {
        writer.beginObject()
        for (key, value) in tape.members(object) {
            guard let node = nodes.first(where: { tape.equals(key, $0.name) }) else { continue }
            guard node.isChanged else {
                writer.key(node.name)
                writer.raw(tape, value)
                continue
            }
            switch node {
            case .group(let name, let children, _): writeGroup(name, value, children, tape, &writer)
            case .field(let name, let field, let rule): write(name, field, rule, value, tape, &writer)
            }
        }
        writer.endObject()
    }

    /// A group of which nothing is left is left out.
    private func writeGroup(
        _ name: StaticString, _ value: JSONIndex, _ nodes: [FieldNode], _ tape: JSONTape, _ writer: inout JSONWriter
    ) {
        guard tape.kind(value) == .object else { return }
        var inner = JSONWriter()
        write(value, of: nodes, tape, &inner)
        guard inner.bytes.count > 2 else { return }
        writer.key(name)
        writer.raw(inner.bytes)
    }

    private func write(
        _ name: StaticString, _ field: EventField, _ rule: FieldRule?, _ value: JSONIndex, _ tape: JSONTape,
        _ writer: inout JSONWriter
    ) {
        guard let rule, !rule.removesAll else { return }
        if field.kind == .map, tape.kind(value) == .object {
            return writeEntries(name, field, rule, value, tape, &writer)
        }
        let changed = rule.change?.applied(to: tape, value, field.kind) ?? .same
        if case .absent = changed { return }
        writer.key(name)
        changed.write(insteadOf: tape, value, to: &writer)
    }

    private func writeEntries(
        _ name: StaticString, _ field: EventField, _ rule: FieldRule, _ map: JSONIndex, _ tape: JSONTape,
        _ writer: inout JSONWriter
    ) {
        writer.key(name)
        writer.beginObject()
        for (key, value) in tape.members(map) {
            let text = tape.text(key) ?? ""
            let changed = rule.change(ofEntry: text)?.applied(to: tape, value, .any) ?? .same
            if case .absent = changed { continue }
            writer.key(text)
            changed.write(insteadOf: tape, value, to: &writer)
        }
        writer.endObject()
    }
}

/// Whom or what an event is about, after a policy: the first that is left of visitor, visit, invitation, device and
/// session.
struct EventSubject {
    private let kind: StaticString
    private let id: [UInt8]

    init?(_ event: EventView, _ policy: FieldPolicy) {
        for (kind, field) in EventField.subjects {
            let id = policy.text(of: field, event)
            if !id.isEmpty {
                self.kind = kind
                self.id = id
                return
            }
        }
        return nil
    }

    var attribute: [UInt8] { Array("\(kind)/".utf8) + id }

    func partitionKey(_ event: EventView, _ policy: FieldPolicy) -> [UInt8] {
        policy.text(of: .siteID, event) + [UInt8(ascii: "/")] + id
    }
}

extension FieldPolicy {
    /// The text that is left of a field; empty when there is none.
    fileprivate func text(of field: EventField, _ event: EventView) -> [UInt8] {
        guard let value = event.value(field) else { return [] }
        let changed = rule(field)?.change?.applied(to: event.tape, value, field.kind) ?? .same
        switch changed {
        case .absent, .json: return []
        case .text(let text): return Array(text.utf8)
        case .same:
            var text: [UInt8] = []
            event.tape.appendText(value, to: &text)
            return text
        }
    }
}
