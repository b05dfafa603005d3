import Cryptography
import Events
import YAML

extension BatchLimits {
    /// Reads `batch:`, for types whose receivers take several events in one request.
    init(_ node: YAMLNode, _ diagnostics: inout Diagnostics) {
        self.init()
        guard var reader = MappingReader(node, "batch", &diagnostics) else { return }
        maximumEvents = reader.optional("max_events")?.integer(in: 1...20_000, &diagnostics) ?? maximumEvents
        if let sizeNode = reader.optional("max_bytes"), let size = sizeNode.size(&diagnostics) {
            if 1024...(16 << 20) ~= size {
                maximumBytes = size
            } else {
                diagnostics.error(at: sizeNode.location, "a batch holds 1KiB to 16MiB")
            }
        }
        every = reader.optional("every")?.duration(in: .milliseconds(10) ... .seconds(1200), &diagnostics) ?? every
        reader.finish(&diagnostics)
    }
}

/// Several events in one body.
enum BatchBody {
    /// CloudEvents, JSON format, section 4: a batch is a JSON array.
    static let canonicalType = "application/cloudevents-batch+json; charset=utf-8"

    /// A JSON array of JSON texts.
    static func array(_ elements: [[UInt8]]) -> [UInt8] {
        var body: [UInt8] = [UInt8(ascii: "[")]
        body.reserveCapacity(elements.reduce(2) { $0 + $1.count + 1 })
        for (index, element) in elements.enumerated() {
            if index > 0 { body.append(UInt8(ascii: ",")) }
            body.append(contentsOf: element)
        }
        body.append(UInt8(ascii: "]"))
        return body
    }

    /// The same for the same events in the same order: what a receiver recognises a repeated batch by. One event's is its
    /// own id.
    static func id(_ events: [OutgoingEvent]) -> String {
        let ids = events.map { $0.event.attribute("id") ?? "" }
        if ids.count == 1 { return ids[0] }
        return Hex.encode(SHA256.hash(ids.joined(separator: "\n")).prefix(16))
    }
}
