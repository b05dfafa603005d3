import Events

/// The sender's own payload, as it was received less what policies take away.
package struct OriginalFormat: EventFormat {
    package let name = "original"
    /// Of any sender; every sender's payload is an object, but for what nobody knows the shape of.
    package let lineOpening = "{"
    package let isSendersOwn = true

    package init() {}

    package func render(_ outgoing: OutgoingEvent, _ options: RenderingOptions) throws(RenderingError) -> [UInt8] {
        guard var line = options.policy.original(of: outgoing.event) else {
            throw RenderingError("the event has no payload of a sender, or the target is not given it")
        }
        if let limit = options.limit, line.count > limit {
            throw RenderingError(
                "the sender's payload is larger than \(limit) bytes, and it is not for us to shorten it")
        }
        JSONFormat.joinLines(&line)
        return line
    }
}
