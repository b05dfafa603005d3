internal import YAML

/// What the configuration has, for rules to name.
package struct RuleEnvironment: Sendable {
    package var sources: [String]
    package var vendors: [String]
    /// The keys of `sites:`.
    package var siteKeys: [String]
    package var targets: [String]
    /// For an id of `sites:`, the sources that use it.
    package var sourcesOfSiteID: [String: [String]]
    /// The `timezone:` of the sources that have one.
    package var sourceZones: [String: String]
    /// The conditions that targets have of their own.
    package var targetConditions: [TargetConditions] = []
    /// The targets that `ask:` may name: those that give an answer. Nil: any.
    package var askableTargets: Set<String>?
    /// The sources whose senders wait for decisions; nil: not known.
    package var waiting: [WaitingSource]?
    /// The names of `teams:`.
    package var teams: [String] = []
    /// Reads a file that a rule names, up to so many bytes.
    var readFile: @Sendable (_ path: String, _ maximumBytes: Int) throws(FileReadingError) -> [UInt8] = readFileOnDisk
    /// The path of a file of rules by the name that people are told.
    var actualPath: @Sendable (String) -> String = { $0 }

    package init(
        sources: [String], vendors: [String], siteKeys: [String], targets: [String],
        sourcesOfSiteID: [String: [String]] = [:], sourceZones: [String: String] = [:]
    ) {
        self.sources = sources
        self.vendors = vendors
        self.siteKeys = siteKeys
        self.targets = targets
        self.sourcesOfSiteID = sourcesOfSiteID
        self.sourceZones = sourceZones
    }
}

/// A source whose sender waits for decisions.
package struct WaitingSource: Sendable {
    package var name: String
    package var vendor: String
    /// The canonical types of its requests that wait.
    package var types: [String]

    package init(name: String, vendor: String, types: [String]) {
        self.name = name
        self.vendor = vendor
        self.types = types
    }
}

@Sendable private func readFileOnDisk(_ path: String, _ maximumBytes: Int) throws(FileReadingError) -> [UInt8] {
    try YAML.readFile(path, maximumBytes: maximumBytes)
}
