internal import Configuration
internal import Ingest
internal import Rehearsal
internal import Rules
internal import Vendors
internal import YAML

/// The rules to be measured, and who sends their events.
struct BenchedRules {
    let routes: [Route]
    let events: EventBuilder
    /// The time zones of sources, by their names.
    let sourceZones: [String: String]

    /// Of a configuration, or of a file that has nothing but routes: then whatever it names is taken to exist.
    init(_ file: String, _ arguments: Arguments) throws {
        if let (bytes, environment) = Self.bare(file) {
            let read = RuleLoader.read([(file, bytes)], environment: environment)
            guard !read.diagnostics.hasErrors else {
                for diagnostic in read.diagnostics.sorted where diagnostic.severity == .error {
                    Terminal.complain(diagnostic.description)
                }
                throw CommandFailure("the file has errors; nothing was measured", code: ExitCode.configuration)
            }
            routes = read.routes
            events = EventBuilder()
            sourceZones = [:]
        } else {
            let configuration = try arguments.loadRules(file)
            routes = configuration.routes.routes
            sourceZones = Dictionary(
                configuration.sources.compactMap { source in source.timezone.map { (source.name, $0) } },
                uniquingKeysWith: { one, _ in one })
            events = EventBuilder(sources: configuration.sources, sites: configuration.intake.sites)
        }
    }

    /// The file, and what it names; nil where it is a configuration, or cannot be read.
    private static func bare(_ file: String) -> (bytes: [UInt8], environment: RuleEnvironment)? {
        guard let bytes = try? readFile(file, maximumBytes: maximumYAMLBytes),
            let root = try? parseYAML(bytes, file: file), let entries = root.entries,
            let routes = entries.first(where: { $0.name == "routes" })?.value,
            routes.elements?.first?.entries != nil
        else { return nil }
        var names = Names()
        names.collect(root)
        let environment = RuleEnvironment(
            sources: names.sources.sorted(), vendors: Vendors.all.map(\.name), siteKeys: names.keys.sorted(),
            targets: names.targets.sorted())
        return (bytes, environment)
    }

    private struct Names {
        var targets: Set<String> = []
        var sources: Set<String> = []
        var keys: Set<String> = []

        mutating func collect(_ node: YAMLNode) {
            for element in node.elements ?? [] { collect(element) }
            for entry in node.entries ?? [] {
                let texts = Self.texts(entry.value)
                switch entry.name {
                case "to": targets.formUnion(texts)
                case "source": sources.formUnion(texts)
                case "key": keys.formUnion(texts)
                default: break
                }
                collect(entry.value)
            }
        }

        /// Every scalar below, for operators may stand between a field and its values.
        private static func texts(_ node: YAMLNode) -> [String] {
            if let scalar = node.scalar { return [scalar.text] }
            return (node.elements ?? []).flatMap(texts) + (node.entries ?? []).flatMap { texts($0.value) }
        }
    }
}
