package import YAML

/// What was read of the files of routes.
package struct RuleFiles: Sendable {
    /// Every route without an error, disabled ones too, in the order of the files.
    package var routes: [Route] = []
    /// The files read, in order.
    package var files: [String] = []
    /// Of the enabled routes; empty when there was any error.
    package var plan = RulePlan.empty
}

/// Reads and checks files of routes.
package enum RuleLoader {
    /// The most routes taken.
    package static let mostRoutes = 100_000

    /// - Parameters:
    ///   - paths: files and folders; folders are read recursively (`*.yaml`, `*.yml`, no dot files), in the order of
    ///     their paths.
    ///   - location: where the configuration names the paths, for the message when one cannot be read.
    package static func load(
        paths: [String], at location: SourceLocation? = nil, environment: RuleEnvironment,
        diagnostics: inout Diagnostics
    ) -> RuleFiles {
        var texts: [(file: String, bytes: [UInt8])] = []
        var known: Set<[UInt8]> = []
        var found = Diagnostics()
        for path in paths {
            do throws(RouteFiles.Failure) {
                let files = try RouteFiles.below(path)
                if files.isEmpty {
                    found.warning(
                        at: location ?? SourceLocation(file: path), "\(displayable(path)) holds no *.yaml file")
                }
                for file in files where known.insert(Array(RouteFiles.identity(file).utf8)).inserted {
                    do throws(FileReadingError) {
                        texts.append((file, try readFile(file, maximumBytes: maximumYAMLBytes)))
                    } catch {
                        found.error(at: SourceLocation(file: file), "cannot read the file: \(error.message)")
                    }
                }
            } catch {
                found.error(
                    at: location ?? SourceLocation(file: path),
                    "cannot read \(displayable(error.path)): \(error.message)")
            }
        }
        var result = load(texts: texts, environment: environment, diagnostics: &found)
        if found.hasErrors { result.plan = .empty }
        diagnostics.merge(found)
        return result
    }

    /// Reads routes from texts at hand.
    package static func load(
        texts: [(file: String, bytes: [UInt8])], environment: RuleEnvironment, diagnostics: inout Diagnostics
    ) -> RuleFiles {
        var reader = RuleFileReader(environment: environment)
        for (file, bytes) in texts { reader.read(bytes, file: file) }
        RouteChecks(environment: environment).check(reader.routes, &reader.diagnostics)
        diagnostics.merge(reader.diagnostics)
        return RuleFiles(
            routes: reader.routes, files: texts.map(\.file),
            plan: reader.diagnostics.hasErrors ? .empty : RulePlan(reader.routes))
    }
}

private struct RuleFileReader {
    let environment: RuleEnvironment
    var routes: [Route] = []
    var diagnostics = Diagnostics()
    private var names: [String: SourceLocation] = [:]
    private var count = 0

    /// Keys of the language that this version has no use for.
    private static let laterKeys = ["calendars", "tests", "conditions", "defaults"]

    init(environment: RuleEnvironment) { self.environment = environment }

    mutating func read(_ bytes: [UInt8], file: String) {
        do throws(Diagnostics) {
            guard let root = try parseYAML(bytes, file: file) else { return }
            document(root)
        } catch {
            diagnostics.merge(error)
        }
    }

    private mutating func document(_ root: YAMLNode) {
        guard var reader = MappingReader(root, "a file of routes", &diagnostics) else { return }
        let list = reader.required("routes", &diagnostics)
        for key in Self.laterKeys {
            if let entry = reader.entry(key) {
                diagnostics.error(at: entry.key.location, "`\(key):` is not available in this version")
            }
        }
        reader.finish(&diagnostics)
        guard let list else { return }
        guard let elements = list.elements else {
            diagnostics.error(at: list.location, "`routes:` takes a list (`- name: …`), found \(list.kindName)")
            return
        }
        for element in elements { route(element) }
    }

    private mutating func route(_ node: YAMLNode) {
        count += 1
        guard count <= RuleLoader.mostRoutes else {
            if count == RuleLoader.mostRoutes + 1 {
                diagnostics.error(at: node.location, "more than \(RuleLoader.mostRoutes) routes")
            }
            return
        }
        let (route, nameNode) = RouteReader(environment: environment).read(node, &diagnostics)
        if let nameNode, let name = nameNode.scalar?.text, !name.isEmpty {
            if let first = names[name] {
                diagnostics.error(
                    at: nameNode.location, "a route called `\(displayable(name))` is already at \(first)")
                return
            }
            names[name] = nameNode.location
        }
        if let route { routes.append(route) }
    }
}
