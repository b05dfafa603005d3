package import Events
package import JSON
internal import Vendors

/// Turns a payload into canonical events as the intake would, by hand.
package struct Normaliser {
    private let source: SourceConfiguration
    private let sites: SiteDirectory

    package init(source: SourceConfiguration, sites: SiteDirectory) {
        self.source = source
        self.sites = sites
    }

    /// One event, or one for each element of a batch.
    /// - Throws: `JSONError` for what the intake would refuse.
    package func normalise(
        _ body: [UInt8], query: String? = nil, receivedAt: Timestamp = .now()
    ) throws(JSONError) -> [[UInt8]] {
        let tape = try JSONParser().parse(body)
        let isBatch = source.vendor.traits.batches && tape.kind(tape.root) == .array
        let elements = isBatch ? Array(tape.elements(tape.root)) : [tape.root]
        var draft = EventDraft()
        return elements.map { element in
            source.encode(tape, element, query: query, receivedAt: receivedAt, sites: sites, draft: &draft).payload
        }
    }
}

extension SourceConfiguration {
    /// One element as a canonical event. The draft is reused, and left as it was filled.
    func encode(
        _ tape: JSONTape, _ element: JSONIndex, query: String?, messageID: String? = nil, receivedAt: Timestamp,
        sites: SiteDirectory, draft: inout EventDraft
    ) -> EncodedEvent {
        draft.reset(receivedAt: receivedAt)
        Decoder.decode(
            tape, element, vendor: vendor, settings: settings, query: query, messageID: messageID, into: &draft)
        sites.complete(&draft, source: name, tape: tape)
        return EventEncoder.encode(draft, source: name, keySpace: keySpace, tape: tape, element: element)
    }
}
