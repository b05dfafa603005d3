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

    /// - Parameter environment: the value of an environment variable.
    package init(
        purpose: Purpose, environment: @escaping (String) -> String? = ConfigurationLoader.processEnvironment
    ) {
        self.purpose = purpose
        self.environment = environment
    }

    /// The configuration, nil when there is any error.
    package func load(_ path: String) -> (configuration: Configuration?, diagnostics: Diagnostics) {
        var diagnostics = Diagnostics()
        guard let root = read(path, &diagnostics) else { return (nil, diagnostics) }
        var decoder = ConfigurationDecoder(file: path)
        let configuration = decoder.decode(root, &diagnostics)
        return (diagnostics.hasErrors ? nil : configuration, diagnostics)
    }

    private func read(_ path: String, _ diagnostics: inout Diagnostics) -> YAMLNode? {
        do {
            let bytes = try readFile(path, maximumBytes: maximumYAMLBytes)
            guard let root = try parseYAML(bytes, file: path) else {
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
    private let file: String

    init(file: String) {
        self.file = file
    }

    mutating func decode(_ root: YAMLNode, _ diagnostics: inout Diagnostics) -> Configuration? {
        guard var reader = MappingReader(root, "the configuration", &diagnostics) else { return nil }
        let listen = reader.optional("listen").flatMap { ListenSettings.decode($0, &diagnostics) }
        let console = reader.optional("console").flatMap { Self.console($0, &diagnostics) }
        var configuration = Configuration(
            file: file, listen: listen ?? ListenSettings(address: .tcp(host: "127.0.0.1", port: 8080)),
            console: console ?? .tcp(host: "127.0.0.1", port: 8081),
            dataFolder: reader.optional("data")?.path(&diagnostics) ?? resolvedPath("./data", besideFile: file),
            routes: .empty)
        _ = reader.optional("log")?.choice(of: ["embedded"], &diagnostics)
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
        let targets = Self.targets(reader.optional("targets"), &diagnostics)
        configuration.targets = targets.blueprints
        let routes = reader.optional("routes")
        configuration.files = [file]
        decodeRoutes(routes, sources, targets.names, &configuration, &diagnostics)
        reader.finish(&diagnostics)
        return configuration
    }

    private static func console(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> HTTPListenAddress? {
        guard node.entries != nil else { return HTTPListenAddress.decode(node, &diagnostics) }
        guard var reader = MappingReader(node, "console", &diagnostics) else { return nil }
        let address = reader.required("listen", &diagnostics).flatMap { HTTPListenAddress.decode($0, &diagnostics) }
        reader.finish(&diagnostics)
        return address
    }

    private static func targets(
        _ node: YAMLNode?, _ diagnostics: inout Diagnostics
    ) -> (blueprints: [any TargetBlueprint], names: [String]) {
        var blueprints: [any TargetBlueprint] = []
        var names: [String] = []
        for entry in node?.mapping("targets", &diagnostics) ?? [] {
            guard Names.check(entry, "a target's name", &diagnostics) else { continue }
            names.append(entry.name)
            if let blueprint = TargetTypes.decode(name: entry.name, node: entry.value, &diagnostics) {
                blueprints.append(blueprint)
            }
        }
        return (blueprints, names)
    }

    private func decodeRoutes(
        _ node: YAMLNode?, _ sources: DecodedSources, _ targets: [String], _ configuration: inout Configuration,
        _ diagnostics: inout Diagnostics
    ) {
        guard let node else { return }
        var paths: [String] = []
        var references: [String: String] = [:]
        for element in node.list(&diagnostics) {
            guard let path = element.path(&diagnostics), let scalar = element.scalar, scalar.isResolved else {
                continue
            }
            paths.append(path)
            if scalar.reference != nil { references[path] = scalar.displayText }
        }
        let environment = RuleEnvironment(
            sources: sources.names, vendors: Vendors.all.map(\.name), siteKeys: configuration.sites.map(\.key),
            targets: targets, sourcesOfSiteID: Self.sourcesOfSiteID(configuration.sites))
        var found = Diagnostics()
        let files = RuleLoader.load(paths: paths, at: node.location, environment: environment, diagnostics: &found)
        diagnostics.merge(references.isEmpty ? found : found.naming(references))
        configuration.routes = files.plan
        configuration.files += paths + files.files
    }
}

extension ConfigurationDecoder {
    /// For every id of `sites:`, the sources that use it.
    private static func sourcesOfSiteID(_ sites: [Site]) -> [String: [String]] {
        var sources: [String: [String]] = [:]
        for site in sites {
            for (source, ids) in site.ids {
                for id in ids { sources[id, default: []].append(source) }
            }
        }
        return sources.mapValues { $0.sorted() }
    }
}

extension Diagnostics {
    /// With paths that a `${…}` stands for named by it.
    /// - Parameter references: as written, by their paths.
    fileprivate func naming(_ references: [String: String]) -> Diagnostics {
        func named(_ text: String) -> String {
            references.reduce(text) { text, entry in
                text.replacing(entry.key, with: entry.value).replacing(displayable(entry.key), with: entry.value)
            }
        }
        var result = Diagnostics()
        for diagnostic in all {
            var diagnostic = diagnostic
            diagnostic.location.file = named(diagnostic.location.file)
            diagnostic.message = named(diagnostic.message)
            result.add(diagnostic)
        }
        return result
    }
}

/// Names of sources, targets and sites: they stand in URLs, file names, metrics and log lines.
enum Names {
    /// Letters, digits, `-`, `_` and `.`, at most 64, not beginning with a dot.
    static func check(_ entry: YAMLEntry, _ what: String, _ diagnostics: inout Diagnostics) -> Bool {
        let name = entry.name
        let isAllowed = name.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
            default: false
            }
        }
        guard isAllowed, (1...64).contains(name.utf8.count), !name.hasPrefix(".") else {
            diagnostics.error(
                at: entry.key.location,
                "`\(displayable(name))` cannot be \(what): use letters, digits, `-`, `_` and `.`, at most 64")
            return false
        }
        return true
    }
}
