import Events
import JSON

/// Where an event's fields stand in its text, found in one walk over `data`.
struct EventPlaces {
    let event: EventView
    let tape: JSONTape
    /// Attributes of the envelope.
    let id: JSONIndex?
    let typeName: JSONIndex?
    let timeText: JSONIndex?
    /// What is said of the event's type; of one that is not canonical what is said of `other`.
    let kind: TypeWords
    /// Nil for a type that is not canonical.
    let type: CanonicalType?
    /// One for each field, by its number.
    private var places: [JSONIndex?]

    init(_ event: EventView) {
        self.event = event
        tape = event.tape
        id = tape.member(tape.root, "id")
        typeName = tape.member(tape.root, "type")
        timeText = tape.member(tape.root, "time")
        let known = TypeWords.of(tape, typeName)
        kind = known ?? TypeWords.other
        type = known?.type
        places = Array(repeating: nil, count: FieldTree.fieldCount)
        Self.collect(tape, event.data, FieldTree.nodes, FieldTree.root, &places)
    }

    subscript(_ field: EventField) -> JSONIndex? { places[Int(field.rawValue)] }

    private static func collect(
        _ tape: JSONTape, _ object: JSONIndex, _ nodes: [FieldTree.Node], _ names: Range<Int>,
        _ places: inout [JSONIndex?]
    ) {
        var expected = names.lowerBound
        for (key, value) in tape.members(object) {
            guard let found = FieldTree.find(tape, key, nodes, in: names, from: expected) else { continue }
            expected = found + 1
            switch nodes[found].content {
            case .field(let field): places[Int(field.rawValue)] = value
            case .group(let members): collect(tape, value, nodes, members, &places)
            }
        }
    }

    // MARK: values

    /// The field's place where it has a text that is not empty, a number or a boolean, else the other's.
    func first(_ field: EventField, or other: EventField? = nil) -> JSONIndex? {
        if let place = self[field], hasText(place) { return place }
        guard let other, let place = self[other], hasText(place) else { return nil }
        return place
    }

    func hasText(_ place: JSONIndex) -> Bool {
        switch tape.kind(place) {
        case .null, .array, .object: false
        case .string: tape.span(place).count > 2
        default: true
        }
    }

    /// Nil where it has none.
    func text(_ field: EventField) -> String? { first(field).flatMap(tape.scalarText) }

    /// Nil when it cannot be read.
    func timestamp(_ place: JSONIndex?) -> Timestamp? {
        guard let place, tape.kind(place) == .string else { return nil }
        let span = tape.span(place)
        return Timestamp(text: tape.bytes[span.lowerBound + 1..<span.upperBound - 1])
    }

    /// The event's own time; a policy may have taken it, but not when it was received.
    var time: Timestamp? { timestamp(timeText) ?? timestamp(self[.receivedAt]) }
}

/// The names of the field table as a tree, flat, in the order events are written.
enum FieldTree {
    enum Content: Sendable {
        case field(EventField)
        /// Where the names in it stand.
        case group(Range<Int>)
    }

    struct Node: Sendable {
        let name: StaticString
        let content: Content
    }

    static let fieldCount = EventField.allCases.count
    static var root: Range<Int> { tree.root }
    static var nodes: [Node] { tree.nodes }

    private static let tree: (root: Range<Int>, nodes: [Node]) = {
        var nodes: [Node] = []
        let root = append(EventField.allCases.map { ($0, $0.components[...]) }, to: &nodes)
        return (root, nodes)
    }()

    private static func append(
        _ fields: [(field: EventField, path: ArraySlice<StaticString>)], to nodes: inout [Node]
    ) -> Range<Int> {
        var names: [StaticString] = []
        var members: [[(field: EventField, path: ArraySlice<StaticString>)]] = []
        for (field, path) in fields {
            guard let name = path.first else { continue }
            if let known = names.firstIndex(where: { "\($0)" == "\(name)" }) {
                members[known].append((field, path.dropFirst()))
            } else {
                names.append(name)
                members.append([(field, path.dropFirst())])
            }
        }
        var own: [Node] = []
        for (name, fields) in zip(names, members) {
            if fields.count == 1, fields[0].path.isEmpty {
                own.append(Node(name: name, content: .field(fields[0].field)))
            } else {
                own.append(Node(name: name, content: .group(append(fields, to: &nodes))))
            }
        }
        nodes.append(contentsOf: own)
        return nodes.count - own.count..<nodes.count
    }

    /// The node of a key; looks first where it would stand next.
    static func find(
        _ tape: JSONTape, _ key: JSONIndex, _ nodes: [Node], in names: Range<Int>, from expected: Int
    ) -> Int? {
        for place in expected..<max(expected, names.upperBound) where tape.equals(key, nodes[place].name) {
            return place
        }
        for place in names.lowerBound..<max(names.lowerBound, expected) where tape.equals(key, nodes[place].name) {
            return place
        }
        return nil
    }
}
