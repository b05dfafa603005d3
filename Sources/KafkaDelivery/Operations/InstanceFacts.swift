/// What an instance tells the others of itself.
package struct InstanceFacts: Sendable, Hashable {
    /// Of the program.
    package var version: String
    /// Acknowledged events that wait in its spool.
    package var spooled: Int64
    /// Repeats its intake has recognised, and elements it has put into quarantine, in this run.
    package var duplicates: Int64
    package var quarantined: Int64
    /// The targets it is configured with.
    package var targets: [String]

    package init(version: String, spooled: Int64, duplicates: Int64, quarantined: Int64, targets: [String]) {
        self.version = version
        self.spooled = spooled
        self.duplicates = duplicates
        self.quarantined = quarantined
        self.targets = targets
    }
}
