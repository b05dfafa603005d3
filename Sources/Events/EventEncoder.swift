internal import Cryptography
package import JSON

/// What the log keeps of one event beside its text.
package struct EncodedEvent: Sendable {
    package var id: EventID
    package var type: CanonicalType
    package var time: Timestamp
    package var receivedAt: Timestamp
    package var partitionKey: [UInt8]
    package var visitorID: [UInt8]?
    package var returningID: [UInt8]?
    /// In lower case.
    package var email: [UInt8]?
    /// The CloudEvent, structured, as JSON.
    package var payload: [UInt8]
}

/// Writes a draft as a CloudEvent (CloudEvents 1.0, JSON format).
package enum EventEncoder {
    /// - Parameters:
    ///   - keySpace: the source's name, or its `dedupe_as:`.
    ///   - element: the event's own value in the payload, kept as `original`.
    ///   - known: the event's id where it has one already.
    package static func encode(
        _ draft: EventDraft, source: String, keySpace: String, tape: JSONTape, element: JSONIndex,
        id known: EventID? = nil
    ) -> EncodedEvent {
        let span = tape.span(element)
        let id = known ?? EventID(keySpace: keySpace, dedupeKey: draft.dedupeKey ?? hashKey(tape, span))
        let time = draft.time ?? draft.receivedAt
        let subject = Subject(draft, tape)
        let partitionKey = partitionKey(draft, tape, subject, id)

        // Room for the original once as it is, and for its fields.
        var writer = JSONWriter(reserving: span.count + 1024)
        let envelope = EventEnvelope(
            id: id, sourceName: source, type: draft.type.rawValue, subject: subject?.attribute, time: time,
            partitionKey: partitionKey)
        envelope.writeBeginning(to: &writer)
        envelope.writeSubject(to: &writer)
        envelope.writeEnd(to: &writer)
        writeData(draft, tape, span, &writer)
        writer.endObject()

        return EncodedEvent(
            id: id, type: draft.type, time: time, receivedAt: draft.receivedAt, partitionKey: partitionKey,
            visitorID: subject?.visitorID, returningID: draft.text(.visitorReturningID, in: tape),
            email: draft.text(.visitorEmail, in: tape).map(lowercased), payload: writer.bytes)
    }

    private static func lowercased(_ text: [UInt8]) -> [UInt8] {
        text.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
    }

    private static func hashKey(_ tape: JSONTape, _ span: Range<Int>) -> [UInt8] {
        Array(Hex.encode(SHA256.hash(Array(tape.bytes[span]))).utf8)
    }

    private static func partitionKey(
        _ draft: EventDraft, _ tape: JSONTape, _ subject: Subject?, _ id: EventID
    ) -> [UInt8] {
        guard let subject else { return Array(id.hex.utf8) }
        return (draft.text(.siteID, in: tape) ?? []) + [UInt8(ascii: "/")] + subject.id
    }

    private static func writeData(
        _ draft: EventDraft, _ tape: JSONTape, _ span: Range<Int>, _ writer: inout JSONWriter
    ) {
        let layout = EventField.layout
        let groups = EventField.groups
        var open = FieldGroup.data
        writer.beginObject()
        draft.forEachPresent { field, value in
            move(from: &open, to: layout[field].group, groups, &writer)
            writer.key(layout[field].key)
            write(value, tape, &writer)
        }
        move(from: &open, to: FieldGroup.data, groups, &writer)
        if !draft.leavesOutOriginal {
            writer.key("original")
            writeOriginal(draft, tape, span, &writer)
        }
        writer.endObject()
    }

    private static func writeOriginal(
        _ draft: EventDraft, _ tape: JSONTape, _ span: Range<Int>, _ writer: inout JSONWriter
    ) {
        guard !draft.removals.isEmpty else { return writer.raw(tape.bytes[span]) }
        var text: [UInt8] = []
        draft.removals.append(tape, span, to: &text)
        writer.raw(text)
    }

    /// Closes and opens objects until exactly `group` and those around it are open below `data`.
    private static func move(
        from open: inout Int, to group: Int, _ groups: [FieldGroup], _ writer: inout JSONWriter
    ) {
        guard open != group else { return }
        while !contains(open, group, groups) {
            writer.endObject()
            open = groups[open].parent
        }
        enter(group, from: &open, groups, &writer)
    }

    private static func enter(
        _ group: Int, from open: inout Int, _ groups: [FieldGroup], _ writer: inout JSONWriter
    ) {
        guard open != group else { return }
        enter(groups[group].parent, from: &open, groups, &writer)
        writer.key(groups[group].name)
        writer.beginObject()
        open = group
    }

    /// Whether `inner` is `outer` or stands somewhere in it.
    private static func contains(_ outer: Int, _ inner: Int, _ groups: [FieldGroup]) -> Bool {
        var group = inner
        while group != outer {
            guard group != FieldGroup.data else { return false }
            group = groups[group].parent
        }
        return true
    }

    private static func write(_ entries: [MapEntry], _ tape: JSONTape, _ writer: inout JSONWriter) {
        writer.beginObject()
        for entry in entries {
            writer.key(utf8: entry.key)
            write(entry.value, tape, &writer)
        }
        writer.endObject()
    }

    private static func write(_ value: FieldValue, _ tape: JSONTape, _ writer: inout JSONWriter) {
        switch value {
        case .absent, .null: writer.null()
        case .raw(let range): writer.raw(tape.bytes[range])
        case .quoted(let range): writer.string(utf8: tape.bytes[range])
        case .json(let text): writer.raw(text)
        case .text(let text): writer.string(utf8: text)
        case .boolean(let flag): writer.bool(flag)
        case .time(let time): writer.plainString(time.append)
        case .map(let entries): write(entries, tape, &writer)
        }
    }
}

/// Whom or what an event is about: the first that is present of visitor, visit, invitation, device and session.
private struct Subject {
    let kind: StaticString
    let id: [UInt8]
    private let field: EventField

    init?(_ draft: EventDraft, _ tape: JSONTape) {
        for (kind, field) in EventField.subjects {
            if let id = draft.text(field, in: tape) {
                self.kind = kind
                self.id = id
                self.field = field
                return
            }
        }
        return nil
    }

    /// As the envelope names it, such as `visitor/1234`.
    var attribute: [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(kind.utf8CodeUnitCount + 1 + id.count)
        kind.withUTF8Buffer { unsafe text.append(contentsOf: $0) }
        text.append(UInt8(ascii: "/"))
        text.append(contentsOf: id)
        return text
    }

    var visitorID: [UInt8]? { field == .visitorID ? id : nil }
}

extension EventField {
    /// What an event may be about; the first that is present is its subject.
    package static let subjects: [(kind: StaticString, field: EventField)] = [
        ("visitor", .visitorID), ("visit", .visitID), ("invitation", .invitationID), ("device", .deviceID),
        ("session", .sessionID),
    ]
}
