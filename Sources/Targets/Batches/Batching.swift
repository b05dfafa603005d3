import Cryptography
import Events
import YAML

/// `batch:`: when events that wait for each other go, and how they stand in one body.
struct BatchSettings {
    var limits = BatchLimits()
    var wrap = BatchWrap.array

    /// - Parameter templates: the policy of the target's templates; nil for a type that has none.
    init(_ node: YAMLNode, templates policy: ContentPolicy?, _ diagnostics: inout Diagnostics) {
        guard var reader = MappingReader(node, "batch", &diagnostics) else { return }
        limits = BatchLimits(&reader, &diagnostics)
        wrap = BatchWrap(&reader, templates: policy, &diagnostics) ?? wrap
        reader.finish(&diagnostics)
    }
}

extension BatchLimits {
    fileprivate init(_ reader: inout MappingReader, _ diagnostics: inout Diagnostics) {
        self.init()
        maximumEvents = reader.optional("max_events")?.integer(in: 1...20_000, &diagnostics) ?? maximumEvents
        if let sizeNode = reader.optional("max_bytes"), let size = sizeNode.size(&diagnostics) {
            if 1024...(16 << 20) ~= size {
                maximumBytes = size
            } else {
                diagnostics.error(at: sizeNode.location, "a batch holds 1KiB to 16MiB")
            }
        }
        every = reader.optional("every")?.duration(in: .milliseconds(10) ... .seconds(1200), &diagnostics) ?? every
    }
}

/// What a receiver recognises a repeated request by.
enum BatchID {
    /// The same for the same events in the same order. One event's is its own id.
    static func of(_ events: [OutgoingEvent]) -> String {
        if events.count == 1 { return events[0].event.attribute("id") ?? "" }
        let ids = events.map { $0.event.attribute("id") ?? "" }
        return Hex.encode(SHA256.hash(ids.joined(separator: "\n")).prefix(16))
    }
}
