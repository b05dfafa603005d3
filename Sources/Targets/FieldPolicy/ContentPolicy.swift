package import Events
import JSON

/// Which parts of an event a target is given: the field policy of everything that goes out.
package struct ContentPolicy: Sendable, Hashable {
    /// Whether the sender's own payload goes along.
    package var includesOriginal: Bool
    /// Whether biometric members that a source kept go along.
    package var includesBiometrics: Bool

    package init(includesOriginal: Bool, includesBiometrics: Bool) {
        self.includesOriginal = includesOriginal
        self.includesBiometrics = includesBiometrics
    }

    package init(_ settings: TargetSettings) {
        self.init(includesOriginal: settings.sendsOriginal, includesBiometrics: settings.sendsBiometrics)
    }

    /// The structured CloudEvent as the log keeps it, less what the policy holds back; every other byte unchanged.
    package func payload(of event: EventView) -> [UInt8] {
        let removals = removals(from: event)
        guard !removals.isEmpty else { return event.payload }
        return text(event.tape, event.tape.root, removals)
    }

    /// The value of `data`.
    package func data(of event: EventView) -> [UInt8] {
        text(event.tape, event.data, removals(from: event))
    }

    /// The sender's own payload; nil when the event has none or the policy holds it back.
    package func original(of event: EventView) -> [UInt8]? {
        guard includesOriginal, let original = event.original else { return nil }
        return text(event.tape, original, removals(from: event))
    }

    private func text(_ tape: JSONTape, _ index: JSONIndex, _ removals: OriginalRemovals) -> [UInt8] {
        let span = tape.span(index)
        guard !removals.isEmpty else { return Array(tape.bytes[span]) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(span.count)
        removals.append(tape, span, to: &bytes)
        return bytes
    }

    private func removals(from event: EventView) -> OriginalRemovals {
        var removals = OriginalRemovals()
        if !includesOriginal {
            for (key, value) in event.tape.members(event.data) where event.tape.equals(key, "original") {
                removals.remove(event.tape, key: key, value: value)
            }
        } else if !includesBiometrics {
            BiometricMembers.mark(in: event, &removals)
        }
        return removals
    }
}

/// Where senders put biometric data (GDPR, article 9).
package enum BiometricMembers {
    /// Alocity Selfie, event Template: `Payload.template` and `Payload.image`; in any case, and wherever they stand.
    package static let alocity: [StaticString] = ["template", "image"]

    /// Marks every biometric member of the event's `data`.
    static func mark(in event: EventView, _ removals: inout OriginalRemovals) {
        let tape = event.tape
        guard let vendor = event.value(.vendor), tape.equals(vendor, "alocity") else { return }
        var unseen = [event.data]
        while let container = unseen.popLast() {
            for (key, value) in tape.members(container) {
                if alocity.contains(where: { tape.equals(key, ignoringCase: $0) }) {
                    removals.remove(tape, key: key, value: value)
                } else {
                    unseen.append(value)
                }
            }
            unseen.append(contentsOf: tape.elements(container))
        }
    }
}
