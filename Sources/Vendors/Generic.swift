package import Events
package import HTTPTypes
package import JSON

/// Any sender at all: the source's `signature:` says how it signs and its `map:` where its fields are.
package struct Generic: Vendor {
    package let name = "generic"
    package let traits = VendorTraits(authentication: .configured, retryDelaysSeconds: [5, 30, 120])
    private let catalogue = EventCatalogue([])

    package init() {}

    /// There is no catalogue; one sample lets a source be tried.
    package var events: [VendorEvent] {
        [
            VendorEvent(
                "event", .other, identifiers: ["/id"], times: ["/time"],
                sample: #"{"id":"evt_8Jw2kQ","type":"event","time":"2024-07-30T01:49:27.069Z"}"#)
        ]
    }

    /// A name that is one of ours means just that.
    package func decode(
        _ tape: JSONTape, _ element: JSONIndex, _ settings: DecodeSettings, into draft: inout EventDraft
    ) {
        draft.setEvent(tape, element, nil, catalogue, settings)
        if draft.type == .other, let name = tape.first(of: settings.map.event, in: element).flatMap(tape.text),
            settings.events[name] == nil
        {
            let type = CanonicalType(rawValue: name) ?? .other
            draft.type = type.isSystem ? .other : type
        }
        draft.setTime(tape, element, nil, settings)
    }

    package func acknowledgement(for type: CanonicalType?) -> HTTPResponse {
        HTTPResponse(status: 200)
    }
}
