package import Events
package import HTTPTypes
package import JSON

/// What Gatehouse says of itself, in the shape of a sender: no source can have it as its vendor, and none can be called by
/// its name.
///
/// A payload is `{event, time, target?, source?, team?, reason?, count, key}`; `key` is the dedupe key.
package struct OwnEvents: Vendor {
    package let name = "gatehouse"
    package let traits = VendorTraits(authentication: .headers)
    private let catalogue: EventCatalogue

    init() {
        catalogue = EventCatalogue(Self.samples)
    }

    package var events: [VendorEvent] { Self.samples }

    package func decode(
        _ tape: JSONTape, _ element: JSONIndex, _ settings: DecodeSettings, into draft: inout EventDraft
    ) {
        draft.setEvent(tape, element, tape.member(element, "event"), catalogue, settings)
        draft.setTime(tape, element, tape.member(element, "time"), settings)
        draft.set(.systemTarget, tape, tape.member(element, "target"))
        draft.set(.systemSource, tape, tape.member(element, "source"))
        draft.set(.systemTeam, tape, tape.member(element, "team"))
        draft.set(.systemReason, tape, tape.member(element, "reason"))
        draft.set(.systemCount, tape, tape.member(element, "count"))
        draft.dedupeKey = tape.member(element, "key").flatMap(tape.text).map { Array($0.utf8) }
    }

    package func acknowledgement(for type: CanonicalType?) -> HTTPResponse { HTTPResponse(status: 200) }

    private static let samples: [VendorEvent] = [
        sample(.systemTargetDisabled, #""target":"crm","reason":"http_410","count":1"#),
        sample(.systemBreakerOpened, #""target":"crm","reason":"http_503","count":1"#),
        sample(.systemDeadLetter, #""target":"crm","reason":"http_422","count":3"#),
        sample(
            .systemTeamFileRefused,
            #""team":"london","reason":"routes/london/a.yaml:1:26: no target is called `thams`","count":1"#),
        sample(.systemLogFilling, #""target":"crm","reason":"unfinished_events","count":1200000"#),
        sample(.systemSourceSilent, #""source":"london","reason":"silent","count":86400"#),
    ]

    private static func sample(_ type: CanonicalType, _ members: String) -> VendorEvent {
        VendorEvent(
            type.rawValue, type, identifiers: ["/key"], times: ["/time"],
            sample: #"{"event":"\#(type.rawValue)","time":"2024-07-30T01:49:27.069Z",\#(members),"key":"1"}"#)
    }
}
