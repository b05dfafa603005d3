internal import Events
internal import Glibc
internal import HTTPServer
internal import Ingest
internal import Rules
internal import Targets
internal import Vendors
package import YAML

/// Reads a configuration file and the routes it names, wholly, and reports every error at once.
package struct ConfigurationLoader {
    package enum Purpose: Sendable {
        /// An unset `${…}` is an error.
        case running
        /// An unset `${…}` is a warning: a team's checks need no production secrets.
        case checking
    }

    private let purpose: Purpose
    private let environment: (String) -> String?
    private let versions: TeamVersionStore?

    /// - Parameters:
    ///   - environment: the value of an environment variable.
    ///   - versions: where the last version of each team's files is kept; nil: in the data folder that is configured.
    package init(
        purpose: Purpose, environment: @escaping (String) -> String? = ConfigurationLoader.processEnvironment,
        versions: TeamVersionStore? = nil
    ) {
        self.purpose = purpose
        self.environment = environment
        self.versions = versions
    }

    /// The configuration; nil when it, or a main file of routes, has an error. An error of a team's files is that team's:
    /// it is among the diagnostics, and the configuration has the team's last version in the place of its files.
    package func load(_ path: String) -> (configuration: Configuration?, diagnostics: Diagnostics) {
        var diagnostics = Diagnostics()
        guard let root = read(path, &diagnostics) else { return (nil, diagnostics) }
        var decoder = ConfigurationDecoder(file: path, versions: versions)
        let configuration = decoder.decode(root, &diagnostics)
        let isUsable = !diagnostics.hasErrors
        for team in configuration?.rules.teams ?? [] { diagnostics.merge(team.diagnostics) }
        return (isUsable ? configuration : nil, diagnostics)
    }

    /// The data folder that a file names, whatever else is wrong with it; nil when that cannot be told.
    package func dataFolder(_ path: String) -> String? {
        var ignored = Diagnostics()
        guard let root = read(path, &ignored), var reader = MappingReader(root, "the configuration", &ignored) else {
            return nil
        }
        guard let node = reader.optional("data") else { return resolvedPath("./data", besideFile: path) }
        return node.path(&ignored)
    }

    private func read(_ path: String, _ diagnostics: inout Diagnostics) -> YAMLNode? {
        do {
            let bytes = try readFile(path, maximumBytes: maximumYAMLBytes)
            var budget = maximumYAMLNodes
            guard let root = try parseYAML(bytes, file: path, budget: &budget, duplicates: &diagnostics) else {
                diagnostics.error(
                    at: SourceLocation(file: path), "the file is empty; it needs at least sources: and targets:")
                return nil
            }
            return resolveReferences(
                root, environment: environment,
                readFile: { name in
                    let bytes = try readFile(resolvedPath(name, besideFile: path), maximumBytes: 1 << 20)
                    return String(decoding: bytes, as: UTF8.self)
                },
                unset: purpose == .running ? .error : .warning, &diagnostics)
        } catch let problems as Diagnostics {
            diagnostics.merge(problems)
        } catch let problem as FileReadingError {
            diagnostics.error(at: SourceLocation(file: path), problem.message)
        } catch {
            diagnostics.error(at: SourceLocation(file: path), "could not be read")
        }
        return nil
    }

    package static func processEnvironment(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }
}

/// Decodes the top level and hands each section to its own decoder.
struct ConfigurationDecoder {
    let file: String
    let versions: TeamVersionStore?

    init(file: String, versions: TeamVersionStore?) {
        self.file = file
        self.versions = versions
    }

    mutating func decode(_ root: YAMLNode, _ diagnostics: inout Diagnostics) -> Configuration? {
        guard var reader = MappingReader(root, "the configuration", &diagnostics) else { return nil }
        let listen = reader.optional("listen").flatMap { ListenSettings.decode($0, &diagnostics) }
        let console = reader.optional("console")
        var configuration = Configuration(
            file: file, listen: listen ?? ListenSettings(address: .tcp(host: "127.0.0.1", port: 8080)),
            consoleSettings: console.map { ConsoleSettings.decode($0, &diagnostics) } ?? ConsoleSettings(),
            dataFolder: reader.optional("data")?.path(&diagnostics) ?? resolvedPath("./data", besideFile: file),
            ruleEnvironment: RuleEnvironment(sources: [], vendors: [], siteKeys: [], targets: []))
        if let node = reader.optional("log") { configuration.log = LogSettings.decode(node, &diagnostics) }
        if let node = reader.optional("retention") {
            configuration.retention = RetentionSettings.decode(node, &diagnostics)
        }
        if let dedupe = reader.optional("dedupe")?.duration(in: .seconds(1) ... .seconds(366 * 86_400), &diagnostics) {
            configuration.dedupe = dedupe
        }
        if let shutdown = reader.optional("shutdown")?.duration(in: .zero ... .seconds(3600), &diagnostics) {
            configuration.shutdown = shutdown
        }
        let sources = SourcesDecoder(dedupe: configuration.dedupe)
            .decode(reader.optional("sources"), &diagnostics)
        configuration.sources = sources.enabled
        configuration.sourceListeners = sources.listeners
        configuration.credentials = sources.credentials
        configuration.sites = Site.decode(reader.optional("sites"), sources: sources.names, &diagnostics)
        configuration.presets = PresetCatalogue.decode(reader.optional("presets"), &diagnostics)
        let targets = Self.targets(reader.optional("targets"), configuration.presets, &diagnostics)
        configuration.targets = targets.blueprints
        configuration.targetLocations = (reader.optional("targets")?.entries ?? []).map { ($0.name, $0.key.location) }
        configuration.checkTopicNames(&diagnostics)
        configuration.ruleEnvironment = RuleEnvironment(
            sources: sources.names + [Vendors.own.name], vendors: (Vendors.all + [Vendors.own]).map(\.name),
            siteKeys: configuration.sites.map(\.key),
            targets: targets.names, sourcesOfSiteID: Site.sourcesOfID(configuration.sites),
            sourceZones: sources.zones)
        configuration.ruleEnvironment.targetConditions = configuration.targets.compactMap { target in
            target.settings.admission.map { admission in
                TargetConditions(target: target.settings.name, onlyIf: admission.onlyIf, optOut: admission.optOut)
            }
        }
        configuration.ruleEnvironment.askableTargets = Set(
            configuration.targets.filter(\.canBeAsked).map(\.settings.name))
        configuration.ruleEnvironment.waiting = configuration.sources.filter { $0.answerWithin != nil }.map { source in
            WaitingSource(
                name: source.name, vendor: source.vendor.name,
                types: CanonicalType.allCases.filter(source.mayWait).map(\.rawValue))
        }
        decodeRules(
            routes: reader.optional("routes"), decisions: reader.optional("decisions"), teams: reader.optional("teams"),
            &configuration, &diagnostics)
        if root["routes"] == nil, root["teams"] == nil, !configuration.sources.isEmpty,
            let first = configuration.targetLocations.first
        {
            diagnostics.warning(
                at: first.location,
                "there are no routes, so that no event goes anywhere; name their files with `routes:`")
        }
        configuration.checkOriginals(&diagnostics)
        configuration.checkTemplates(&diagnostics)
        configuration.checkFileTargets(&diagnostics)
        configuration.checkConsole(console, &diagnostics)
        reader.finish(&diagnostics)
        return configuration
    }

    private static func targets(
        _ node: YAMLNode?, _ presets: PresetCatalogue, _ diagnostics: inout Diagnostics
    ) -> (blueprints: [any TargetBlueprint], names: [String]) {
        var blueprints: [any TargetBlueprint] = []
        var names: [String] = []
        for entry in node?.mapping("targets", &diagnostics) ?? [] {
            guard Names.check(entry, "a target's name", &diagnostics) else { continue }
            names.append(entry.name)
            let blueprint = TargetTypes.decode(
                name: entry.name, node: entry.value, presets: presets, &diagnostics)
            if let blueprint {
                blueprints.append(blueprint)
            }
        }
        return (blueprints, names)
    }
}

/// Names of sources, targets, sites and teams: they stand in URLs, file names, metrics and log lines.
enum Names {
    /// Letters, digits, `-`, `_` and `.`, at most 64, not beginning with a dot.
    static func isAllowed(_ name: String) -> Bool {
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
            default: false
            }
        }
        return isPlain && (1...64).contains(name.utf8.count) && !name.hasPrefix(".")
    }

    /// Reports a key that is no name.
    static func check(_ entry: YAMLEntry, _ what: String, _ diagnostics: inout Diagnostics) -> Bool {
        guard isAllowed(entry.name) else {
            diagnostics.error(
                at: entry.key.location,
                "`\(entry.key.scalar?.displayText ?? "")` cannot be \(what): use letters, digits, `-`, `_` and `.`, at "
                    + "most 64")
            return false
        }
        return true
    }
}
