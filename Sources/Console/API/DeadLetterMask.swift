internal import Events
internal import JSON

extension EventMask {
    /// A dead letter with its event masked, and with it the receiver's answer, which may repeat what it was sent.
    /// - Returns: nil when it is none.
    func maskedDeadLetter(_ json: [UInt8]) -> [UInt8]? {
        guard let tape = try? JSONParser().parse(json), let payload = tape.member(tape.root, "payload") else {
            return nil
        }
        var writer = JSONWriter(reserving: json.count)
        writer.beginObject()
        for (key, value) in tape.members(tape.root) {
            let name = tape.text(key) ?? ""
            writer.key(name)
            if value == payload {
                let event = masked(Array(tape.bytes[tape.span(payload)]))
                if let event { writer.raw(event) } else { writer.string(Self.mark) }
            } else if name == "response" {
                writer.string(Self.mark)
            } else {
                writer.raw(tape, value)
            }
        }
        writer.endObject()
        return writer.bytes
    }
}
