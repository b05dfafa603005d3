package import Events
internal import FieldPolicies
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

    /// One element, changed after the sender's own reading and before its site is looked up. A `site.key` given stays.
    package func normalise<Failure: Error>(
        _ tape: JSONTape, _ element: JSONIndex, receivedAt: Timestamp,
        changing change: (inout EventDraft) throws(Failure) -> Void
    ) throws(Failure) -> [UInt8] {
        var draft = EventDraft()
        draft.reset(receivedAt: receivedAt)
        source.decode(tape, element, query: nil, into: &draft)
        try change(&draft)
        let name = draft.text(.source, in: tape).map { String(decoding: $0, as: UTF8.self) } ?? source.name
        let key = draft[.siteKey]
        sites.complete(&draft, source: name, timezone: source.timezone, tape: tape)
        if key != .absent { draft[.siteKey] = key }
        source.fieldPolicy?.apply(to: &draft, tape)
        return EventEncoder.encode(draft, source: name, keySpace: source.keySpace, tape: tape, element: element).payload
    }
}

extension SourceConfiguration {
    /// One element as a canonical event. The draft is reused, and left as it was filled.
    /// - Parameter change: made when everything else is in the draft.
    func encode(
        _ tape: JSONTape, _ element: JSONIndex, query: String?, messageID: String? = nil, receivedAt: Timestamp,
        sites: SiteDirectory, draft: inout EventDraft, changing change: (inout EventDraft) -> Void = { _ in }
    ) -> EncodedEvent {
        draft.reset(receivedAt: receivedAt)
        decode(tape, element, query: query, messageID: messageID, into: &draft)
        sites.complete(&draft, source: name, timezone: timezone, tape: tape)
        change(&draft)
        fieldPolicy?.apply(to: &draft, tape)
        return EventEncoder.encode(draft, source: name, keySpace: keySpace, tape: tape, element: element)
    }

    /// Reads one element in the sender's way, and by the source's settings.
    func decode(
        _ tape: JSONTape, _ element: JSONIndex, query: String?, messageID: String? = nil, into draft: inout EventDraft
    ) {
        Decoder.decode(
            tape, element, vendor: vendor, settings: settings, query: query, messageID: messageID, into: &draft)
        draft.type = type(of: draft.type)
    }
}
