/// A CloudEvent in the structured mode of its JSON format (CloudEvents 1.0). That is what the canonical event is.
package struct CloudEventsFormat: EventFormat {
    package let name = "cloudevents"
    package let lineOpening = JSONFormat().lineOpening

    package init() {}

    package func render(_ outgoing: OutgoingEvent, _ options: RenderingOptions) throws(RenderingError) -> [UInt8] {
        try JSONFormat().render(outgoing, options)
    }
}
