package import JSON

/// The attributes of a canonical event (CloudEvents 1.0, section 3) in the one order its text has them. Whoever keeps them
/// apart from `data` gets the very same text back.
package struct EventEnvelope: Sendable, Equatable {
    package static let specificationVersion: StaticString = "1.0"
    package static let contentType: StaticString = "application/json"
    package static let schema: StaticString = "urn:gatehouse:event:1"
    private static let sourceStart = "/sources/"

    package var id: EventID
    /// The attribute `source`, less what all have in common.
    package var sourceName: String
    package var type: String
    /// As the attribute names it, such as `visitor/1234`.
    package var subject: [UInt8]?
    package var time: Timestamp
    package var partitionKey: [UInt8]

    package init(
        id: EventID, sourceName: String, type: String, subject: [UInt8]?, time: Timestamp, partitionKey: [UInt8]
    ) {
        self.id = id
        self.sourceName = sourceName
        self.type = type
        self.subject = subject
        self.time = time
        self.partitionKey = partitionKey
    }

    package var source: String { Self.sourceStart + sourceName }

    /// The name in an attribute `source`; nil when it is not of Gatehouse.
    package static func sourceName(of source: String) -> String? {
        source.hasPrefix(sourceStart) ? String(source.dropFirst(sourceStart.count)) : nil
    }

    /// The beginning of the event's text, up to its type.
    package func writeBeginning(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("specversion")
        writer.string(Self.specificationVersion)
        writer.key("id")
        writer.plainString { id.append(to: &$0) }
        writer.key("source")
        writer.string(source)
        writer.key("type")
        writer.string(type)
    }

    package func writeSubject(to writer: inout JSONWriter) {
        guard let subject else { return }
        writer.key("subject")
        writer.string(utf8: subject)
    }

    /// What follows the subject, up to the key `data`, whose value and the object's end are the caller's.
    package func writeEnd(to writer: inout JSONWriter) {
        writer.key("time")
        writer.plainString { time.append(to: &$0) }
        writer.key("datacontenttype")
        writer.string(Self.contentType)
        writer.key("dataschema")
        writer.string(Self.schema)
        writer.key("partitionkey")
        writer.string(utf8: partitionKey)
        writer.key("data")
    }
}
