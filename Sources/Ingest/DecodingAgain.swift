package import Events
internal import FieldPolicies
internal import Vendors

extension SourceConfiguration {
    /// A kept event of this source, read again from the sender's own text with the settings of today. Its id and the time it
    /// was received are those of old; a group that its notification's URL named stays, as the URL is not kept.
    /// - Parameter event: as it was kept.
    /// - Returns: nil when the sender's text is not there.
    package func decodeAgain(
        _ event: EventView, id: EventID, receivedAt: Timestamp, sites: SiteDirectory
    ) -> EncodedEvent? {
        guard let original = event.original else { return nil }
        var draft = EventDraft()
        draft.reset(receivedAt: receivedAt)
        Decoder.decode(event.tape, original, vendor: vendor, settings: settings, query: nil, into: &draft)
        keepDecision(of: event, in: &draft)
        if case .query = settings.group, draft.text(.groupName, in: event.tape) == nil,
            let group = event.text(.groupName)
        {
            draft.set(.groupName, text: group)
        }
        sites.complete(&draft, source: name, timezone: timezone, tape: event.tape)
        fieldPolicy?.apply(to: &draft, event.tape)
        return EventEncoder.encode(
            draft, source: name, keySpace: keySpace, tape: event.tape, element: original, id: id)
    }

    /// What was decided then stays, and that somebody waited for it.
    private func keepDecision(of event: EventView, in draft: inout EventDraft) {
        let requested = CanonicalType.visitorSigninRequested
        if draft.type == .visitorSignin, event.type == requested.rawValue { draft.type = requested }
        for field in [EventField.decisionOutcome, .decisionReason, .decisionMessage, .decisionNotes] {
            draft.set(field, event.tape, event.value(field))
        }
    }
}
