internal import Cryptography
package import Events
internal import JSON

/// The event that a target is tried out with: a visitor who does not exist, every text of it marked. It is of no sender's
/// type, so that a receiver can tell it from what happened.
package enum SampleEvent {
    package static let type = "system.target_test"
    /// How its id begins; the rest differs every time, because receivers drop an id they have seen.
    package static let idPrefix = "7e577e57"

    private static let mark = "Gatehouse test"
    /// RFC 2606: nobody's.
    private static let email = "gatehouse-test@example.com"

    package static func make(now: Timestamp) -> EventView {
        let bytes = (0..<12).map { _ in UInt8.random(in: 0...255) }
        let event = try? EventView(parsing: text(id: idPrefix + Hex.encode(bytes), time: now.text), with: JSONParser())
        guard let event else { fatalError("the sample event cannot be read") }
        return event
    }

    private static func text(id: String, time: String) -> [UInt8] {
        var writer = JSONWriter(reserving: 1024)
        writer.beginObject()
        writer.member("specversion", "1.0")
        writer.member("id", id)
        writer.member("source", "/sources/gatehouse")
        writer.member("type", type)
        writer.member("subject", "visitor/gatehouse-test")
        writer.member("time", time)
        writer.member("datacontenttype", "application/json")
        writer.member("dataschema", "urn:gatehouse:event:1")
        writer.member("partitionkey", "gatehouse-test")
        writer.key("data")
        writer.beginObject()
        writer.member("vendor", "gatehouse")
        writer.member("vendor_event", "targets test")
        writer.member("source", "gatehouse")
        writer.member("received_at", time)
        object("site", [("id", "gatehouse-test"), ("name", mark)], &writer)
        object("group", [("name", mark)], &writer)
        object("visitor", [("id", "gatehouse-test"), ("name", mark), ("email", email), ("company", mark)], &writer)
        object("host", [("name", mark), ("email", email)], &writer)
        object("additional", [("note", "sent by `gatehouse targets test`; nobody visited")], &writer)
        object("original", [("test", mark)], &writer)
        writer.endObject()
        writer.endObject()
        return writer.bytes
    }

    private static func object(_ name: String, _ members: [(String, String)], _ writer: inout JSONWriter) {
        writer.key(name)
        writer.beginObject()
        for (key, value) in members {
            writer.key(key)
            writer.string(value)
        }
        writer.endObject()
    }
}
