package import Events

/// Something that happened to Gatehouse itself and that people may want to be told of.
package struct Incident: Sendable, Hashable {
    /// What it becomes an event of: a `system.…` type.
    package var type: CanonicalType
    package var target: String?
    package var source: String?
    package var team: String?
    /// Why: a stable code, or a sentence.
    package var reason: String?
    /// How many events, errors or seconds.
    package var count: Int64
    /// What tells this occurrence from others of its kind, over a restart too: the same one is told of once. Nil: every
    /// one is another.
    package var occurrence: String?

    package init(
        _ type: CanonicalType, target: String? = nil, source: String? = nil, team: String? = nil,
        reason: String? = nil, count: Int64 = 1, occurrence: String? = nil
    ) {
        self.type = type
        self.target = target
        self.source = source
        self.team = team
        self.reason = reason
        self.count = count
        self.occurrence = occurrence
    }
}
