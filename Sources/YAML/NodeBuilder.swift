/// Builds nodes from libyaml's events and reports what this dialect does not take, going on where it can.
struct NodeBuilder: ~Copyable {
    var diagnostics = Diagnostics()
    /// Keys that stand twice. The tree is whole without the second of them.
    private(set) var duplicates = Diagnostics()
    private let file: String
    private let text: ArraySlice<UInt8>
    private var reader: EventReader
    /// The keys and values that may still come.
    private(set) var budget: Int

    private typealias Step = (event: ParserEvent, start: ParserMark)
    /// Nothing more can be read; the reason has been reported.
    private struct Stop: Error {}

    init(_ text: ArraySlice<UInt8>, file: String, budget: Int) {
        self.file = file
        self.budget = budget
        self.text = text
        reader = EventReader(text)
    }

    mutating func build() -> YAMLNode? {
        do throws(Stop) {
            return try document()
        } catch {
            return nil
        }
    }

    private mutating func document() throws(Stop) -> YAMLNode? {
        var root: YAMLNode?
        var documents = 0
        while true {
            let step = try next()
            switch step.event {
            case .streamEnd:
                return root
            case .documentStart:
                documents += 1
                guard documents == 1 else {
                    throw stop(step.start, "a file holds one document; remove this `---`, or use a second file")
                }
            case .streamStart, .documentEnd:
                break
            default:
                root = try node(step, depth: 0)
            }
        }
    }

    private mutating func next() throws(Stop) -> Step {
        do throws(ParserFailure) {
            return try reader.next()
        } catch {
            let explained = SyntaxExplanation(error, in: text)
            throw stop(explained.mark, explained.message)
        }
    }

    private mutating func stop(_ mark: ParserMark, _ message: String) -> Stop {
        diagnostics.error(at: location(mark), message)
        return Stop()
    }

    private func location(_ mark: ParserMark) -> SourceLocation {
        SourceLocation(file: file, line: mark.line + 1, column: mark.column + 1)
    }

    /// The value that begins with this event; nil, and reported, when it is one we do not take.
    private mutating func node(_ step: Step, depth: Int) throws(Stop) -> YAMLNode? {
        guard depth < maximumYAMLDepth else {
            throw stop(step.start, "nested deeper than \(maximumYAMLDepth) levels")
        }
        guard budget > 0 else {
            throw stop(step.start, "there are more than \(maximumYAMLNodes) keys and values")
        }
        budget -= 1
        let place = location(step.start)
        switch step.event {
        case .alias(let name):
            let written = displayable("*" + name)
            diagnostics.error(
                at: place, "aliases (`\(written)`) are not used here; write the value out, or quote it: \"\(written)\"")
            return nil
        case .scalar(let text, let style, let properties):
            refuse(properties, at: place)
            return YAMLNode(location: place, content: .scalar(YAMLScalar(text: text, style: style)))
        case .sequenceStart(let properties):
            refuse(properties, at: place)
            return YAMLNode(location: place, content: .sequence(try elements(depth: depth)))
        case .mappingStart(let properties):
            refuse(properties, at: place)
            return YAMLNode(location: place, content: .mapping(try entries(depth: depth)))
        default:
            return nil
        }
    }

    private mutating func elements(depth: Int) throws(Stop) -> [YAMLNode] {
        var elements: [YAMLNode] = []
        while true {
            let step = try next()
            if case .sequenceEnd = step.event { return elements }
            if let element = try node(step, depth: depth + 1) { elements.append(element) }
        }
    }

    private mutating func entries(depth: Int) throws(Stop) -> [YAMLEntry] {
        var entries: [YAMLEntry] = []
        var known = KnownKeys()
        while true {
            let step = try next()
            if case .mappingEnd = step.event { return entries }
            let key = try node(step, depth: depth + 1)
            let isNamed = isName(key)
            let value = try node(try next(), depth: depth + 1)
            guard isNamed, let key, let name = key.scalar?.text else { continue }
            if let first = known.place(of: name, among: entries) {
                duplicates.error(
                    at: key.location,
                    "duplicate key `\(displayable(name))`, first used on line \(first.line); remove one of the two")
                continue
            }
            if let value {
                entries.append(YAMLEntry(key: key, value: value))
                known.note(entries)
            }
        }
    }

    /// Whether the node can be a key; reports it when not.
    private mutating func isName(_ key: YAMLNode?) -> Bool {
        guard let key else { return false }
        guard let scalar = key.scalar else {
            diagnostics.error(
                at: key.location, "a key is a name, not \(key.kindName); to mean it as text, put quotes around it")
            return false
        }
        if scalar.isPlain, scalar.text == "<<" {
            diagnostics.error(at: key.location, "merge keys (`<<`) are not used here; write the keys out")
            return false
        }
        if scalar.isPlain, scalar.text.isEmpty {
            diagnostics.error(
                at: key.location, "a key is missing before the colon; to mean a text, put quotes around it")
            return false
        }
        return true
    }

    private mutating func refuse(_ properties: ParserEvent.Properties, at place: SourceLocation) {
        if let anchor = properties.anchor {
            let written = displayable("&" + anchor)
            diagnostics.error(
                at: place, "anchors (`\(written)`) are not used here; remove it, or quote the text that begins with &")
        }
        if let tag = properties.tag {
            let written = displayable(tag.replacing(prefix: "tag:yaml.org,2002:", with: "!!"))
            diagnostics.error(
                at: place, "tags (`\(written)`) are not used here; remove it, or quote the text that begins with !")
        }
    }
}

/// Finds the keys of a mapping that were met before: in a small one by looking, in a large one by their hashes.
private struct KnownKeys {
    private static let few = 16
    private var places: [String: SourceLocation] = [:]

    func place(of name: String, among entries: [YAMLEntry]) -> SourceLocation? {
        entries.count <= Self.few ? entries.first { $0.name == name }?.key.location : places[name]
    }

    /// - Parameter entries: with one that is new, the last.
    mutating func note(_ entries: [YAMLEntry]) {
        guard entries.count > Self.few else { return }
        for entry in places.isEmpty ? entries[...] : entries.suffix(1) { places[entry.name] = entry.key.location }
    }
}

extension String {
    fileprivate func replacing(prefix: String, with other: String) -> String {
        hasPrefix(prefix) ? other + dropFirst(prefix.count) : self
    }
}
