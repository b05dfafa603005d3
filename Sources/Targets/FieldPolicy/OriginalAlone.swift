extension TargetBlueprint {
    /// Whether it sends the sender's own payload and nothing else, so that an event without one cannot be sent there.
    package var sendsOriginalAlone: Bool {
        switch unwrapped {
        case let webhook as WebhookBlueprint: webhook.body == .original
        case let file as FileBlueprint: file.format.isSendersOwn
        default: false
        }
    }
}
