internal import Events
package import JSON

extension DeadLetterRow {
    /// `{id, event, target, at, reason, attempts, status, message, type, source, received_at, routes}`, and whole with
    /// `response` and `payload`.
    package func appendJSON(to writer: inout JSONWriter, isWhole: Bool) {
        writer.beginObject()
        writer.member("id", id)
        writer.member("event", event.hex)
        writer.member("target", target)
        if let replay { writer.member("replay", replay) }
        writer.member("at", Timestamp(milliseconds: atMs).text)
        writer.member("reason", reason)
        writer.member("attempts", Int64(attempts))
        writer.member("status", status.map(Int64.init))
        writer.member("message", message)
        writer.member("type", type)
        writer.member("source", source)
        writer.member("received_at", Timestamp(milliseconds: receivedAtMs).text)
        writer.key("routes")
        writer.strings(routes)
        if isWhole {
            writer.member("response", String(decoding: response, as: UTF8.self))
            writer.key("payload")
            // What stands in the state file was checked when it came; a damaged one must not damage the answer.
            if (try? JSONParser().parse(payload)) != nil { writer.raw(payload) } else { writer.null() }
        }
        writer.endObject()
    }
}
