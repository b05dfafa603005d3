internal import Events
internal import JSON

extension EventMask {
    /// Header fields whose values tell of no person.
    private static let plainHeaders: Set<String> = [
        "accept", "age", "cache-control", "ce-datacontenttype", "ce-dataschema", "ce-id", "ce-source", "ce-specversion",
        "ce-time", "ce-type", "connection", "content-encoding", "content-length", "content-type", "date",
        "gatehouse-replay", "idempotency-key", "keep-alive", "retry-after", "server", "transfer-encoding", "user-agent",
        "vary", "via", "webhook-id", "webhook-timestamp",
    ]

    /// A delivery with its history: what was sent and answered is masked, as it tells of people.
    /// - Returns: nil when it is none.
    func maskedDelivery(_ json: [UInt8]) -> [UInt8]? {
        guard let tape = try? JSONParser().parse(json), let history = tape.member(tape.root, "history") else {
            return nil
        }
        var writer = JSONWriter(reserving: json.count)
        Self.object(tape.root, tape, &writer) { _, value, writer in
            guard value == history else { return writer.raw(tape, value) }
            writer.beginArray()
            for attempt in tape.elements(history) {
                Self.object(attempt, tape, &writer) { name, value, writer in
                    let isExchange = name == "request" || name == "response"
                    guard isExchange, tape.kind(value) == .object else { return writer.raw(tape, value) }
                    Self.exchange(value, tape, &writer)
                }
            }
            writer.endArray()
        }
        return writer.bytes
    }

    private static func exchange(_ exchange: JSONIndex, _ tape: JSONTape, _ writer: inout JSONWriter) {
        object(exchange, tape, &writer) { name, value, writer in
            switch name {
            case "body" where tape.kind(value) == .string: writer.string(mark)
            case "headers": headers(value, tape, &writer)
            default: writer.raw(tape, value)
            }
        }
    }

    private static func headers(_ list: JSONIndex, _ tape: JSONTape, _ writer: inout JSONWriter) {
        writer.beginArray()
        for field in tape.elements(list) {
            let header = tape.member(field, "name").flatMap(tape.text)?.lowercased() ?? ""
            object(field, tape, &writer) { name, value, writer in
                let isHidden = name == "value" && !plainHeaders.contains(header)
                if isHidden { writer.string(mark) } else { writer.raw(tape, value) }
            }
        }
        writer.endArray()
    }

    private static func object(
        _ object: JSONIndex, _ tape: JSONTape, _ writer: inout JSONWriter,
        _ write: (String, JSONIndex, inout JSONWriter) -> Void
    ) {
        writer.beginObject()
        for (key, value) in tape.members(object) {
            let name = tape.text(key) ?? ""
            writer.key(name)
            write(name, value, &writer)
        }
        writer.endObject()
    }
}
