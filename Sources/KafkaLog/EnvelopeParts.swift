internal import EventLog
internal import Events
internal import JSON

/// A canonical event's text, taken apart without parsing it: its attributes are known, and their order is fixed.
struct EnvelopeParts {
    let envelope: EventEnvelope
    /// The value of `data` in the payload.
    let data: Range<Int>

    /// Nil for a text that is not exactly what its attributes and its `data` give again.
    init?(_ record: NewRecord) {
        var envelope = EventEnvelope(
            id: record.id, sourceName: record.source, type: record.type, subject: nil,
            time: Timestamp(milliseconds: record.timeMs), partitionKey: record.partitionKey)
        var writer = JSONWriter(reserving: 512)
        envelope.writeBeginning(to: &writer)
        let beginning = writer.bytes.count
        envelope.writeEnd(to: &writer)
        let payload = record.payload
        var position = beginning
        guard payload.count > writer.bytes.count, payload[..<beginning] == writer.bytes[..<beginning] else {
            return nil
        }
        if let (subject, end) = Self.subject(payload, at: position) {
            envelope.subject = subject
            position = end
        }
        let rest = writer.bytes[beginning...]
        guard payload[position...].starts(with: rest), payload.last == UInt8(ascii: "}") else { return nil }
        position += rest.count
        guard position < payload.count - 1 else { return nil }
        self.envelope = envelope
        data = position..<payload.count - 1
    }

    private static let key = Array(#","subject":"#.utf8)

    /// The subject's value, and where the text goes on; nil when there is none that is written as it always is.
    private static func subject(_ payload: [UInt8], at start: Int) -> ([UInt8], Int)? {
        guard payload[start...].starts(with: key) else { return nil }
        var position = start + key.count
        let quoted = position
        position += 1
        while position < payload.count, payload[position] != UInt8(ascii: "\"") {
            position += payload[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard position < payload.count else { return nil }
        let text = Array(payload[quoted...position])
        guard let subject = unescaped(text) else { return nil }
        var writer = JSONWriter(reserving: text.count)
        writer.string(utf8: subject)
        return writer.bytes == text ? (subject, position + 1) : nil
    }

    private static func unescaped(_ quoted: [UInt8]) -> [UInt8]? {
        guard quoted.contains(UInt8(ascii: "\\")) else { return Array(quoted.dropFirst().dropLast()) }
        guard let tape = try? JSONParser(maximumDepth: 1).parse(quoted), tape.kind(tape.root) == .string else {
            return nil
        }
        var text: [UInt8] = []
        tape.appendText(tape.root, to: &text)
        return text
    }
}
