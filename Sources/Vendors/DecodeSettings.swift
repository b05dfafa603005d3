package import Events
package import JSON

/// What a source's configuration adds to its sender's mapping.
package struct DecodeSettings: Sendable {
    /// The source's name.
    package var source: String
    package var group: GroupSetting?
    /// Names for the ids of form questions (Sine), by id.
    package var labels: [String: String] = [:]
    /// Canonical types for names the sender uses and we do not know.
    package var events: [String: CanonicalType] = [:]
    package var map = FieldMap()
    /// Whether biometric data and codes stay in `original` (`biometrics: keep`).
    package var keepsBiometrics = false

    package init(source: String) {
        self.source = source
    }
}

/// Where the visitor group comes from when the payload has none (`group:`).
package enum GroupSetting: Sendable, Hashable {
    case name(String)
    /// The value of this parameter of the notification's URL.
    case query(String)
}

/// A source's `map:`, field by field the pointers to look at: the first present one wins.
package struct FieldMap: Sendable {
    package var fields: [(field: EventField, pointers: [JSONPointer])] = []
    /// The vendor's event name (`event`).
    package var event: [JSONPointer] = []
    /// The event's own time (`time`).
    package var time: [JSONPointer] = []
    /// The sender's dedupe key (`key`).
    package var key: [JSONPointer] = []

    package init() {}

    package var isEmpty: Bool { fields.isEmpty && event.isEmpty && time.isEmpty && key.isEmpty }
}
