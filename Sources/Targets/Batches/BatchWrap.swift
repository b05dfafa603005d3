import Events
import JSON

/// How the bodies of several events stand in one.
enum BatchWrap: Sendable {
    /// A JSON array. CloudEvents' own batches are one (JSON event format, section 4).
    case array
    /// A line each, the last one ended too.
    /// - Parameter before: a line of its own before each of them.
    case ndjson(before: BodyTemplate?)
    /// One after the other, with nothing between.
    case concatenated
    /// A JSON array inside of something else.
    case enclosed(opening: [UInt8], closing: [UInt8])

    /// - Parameters:
    ///   - bodies: JSON texts, one an event.
    ///   - events: as many.
    func body(_ bodies: [[UInt8]], of events: [OutgoingEvent], _ policy: ContentPolicy) -> [UInt8] {
        var body: [UInt8] = []
        body.reserveCapacity(bodies.reduce(64) { $0 + $1.count + 1 })
        switch self {
        case .array: Self.append(array: bodies, to: &body)
        case .enclosed(let opening, let closing):
            body.append(contentsOf: opening)
            Self.append(array: bodies, to: &body)
            body.append(contentsOf: closing)
        case .concatenated:
            for element in bodies { body.append(contentsOf: element) }
        case .ndjson(let before):
            for (element, outgoing) in zip(bodies, events) {
                if let before { Self.append(line: before.render(outgoing.event, policy), to: &body) }
                Self.append(line: element, to: &body)
            }
        }
        return body
    }

    private static func append(array elements: [[UInt8]], to body: inout [UInt8]) {
        body.append(UInt8(ascii: "["))
        for (index, element) in elements.enumerated() {
            if index > 0 { body.append(UInt8(ascii: ",")) }
            body.append(contentsOf: element)
        }
        body.append(UInt8(ascii: "]"))
    }

    /// A line end in a JSON text is white space: inside its strings there can be none.
    private static func append(line element: [UInt8], to body: inout [UInt8]) {
        for byte in element { body.append(byte == 0x0A || byte == 0x0D ? 0x20 : byte) }
        body.append(0x0A)
    }

    /// - Parameters:
    ///   - single: the type of one event's body.
    ///   - list: that of an array of them.
    func contentType(single: String, list: String) -> String {
        switch self {
        case .array: list
        case .ndjson: "application/x-ndjson"
        case .concatenated, .enclosed: "application/json"
        }
    }
}
