import Events

/// Open Cybersecurity Schema Framework.
package struct OCSFFormat: EventFormat {
    package let name = "ocsf"
    package let lineOpening = #"{"activity_id":"#

    package init() {}

    package func render(_ outgoing: OutgoingEvent, _ options: RenderingOptions) throws(RenderingError) -> [UInt8] {
        let places = EventPlaces(outgoing.event)
        return try RecordWriter.render(Self.plans[places.kind.index], places, outgoing, options, OCSFMapping.shape)
    }

    /// In the order of the types.
    private static let plans = TypeWords.all.map { RecordPlan(OCSFMapping.rules(of: $0.type)) }
}
