import Events

/// Elastic Common Schema.
package struct ECSFormat: EventFormat {
    package let name = "ecs"
    package let lineOpening = #"{"@timestamp":""#

    package init() {}

    package func render(_ outgoing: OutgoingEvent, _ options: RenderingOptions) throws(RenderingError) -> [UInt8] {
        let places = EventPlaces(outgoing.event)
        let hasActor = ECSMapping.actorFields.contains { places.first($0) != nil }
        let plan = (hasActor ? Self.withActor : Self.withoutActor)[places.kind.index]
        return try RecordWriter.render(plan, places, outgoing, options, ECSMapping.shape)
    }

    /// In the order of the types.
    private static let withActor = TypeWords.all.map { RecordPlan(ECSMapping.rules(of: $0.type, hasActor: true)) }
    private static let withoutActor = TypeWords.all.map { RecordPlan(ECSMapping.rules(of: $0.type, hasActor: false)) }
}
