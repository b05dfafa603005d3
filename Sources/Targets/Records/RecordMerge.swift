import JSON

/// Makes one record of several that were rendered from one visitor's events.
enum RecordMerge {
    /// Objects are merged member by member: the last that has a member says its value, a member that only an earlier one
    /// has stays. Of anything else, and of what is nested deeper than `maximumDepth`, the last is taken whole.
    /// - Parameter bodies: JSON texts, in the order of the events; at least one.
    static func merge(_ bodies: [[UInt8]]) -> [UInt8] {
        // A template and the value in it may each be as deep as what is received.
        let parser = JSONParser(maximumDepth: 2048)
        let tapes = bodies.compactMap { try? parser.parse($0) }
        guard bodies.count > 1, tapes.count == bodies.count else { return bodies.last ?? [] }
        var writer = JSONWriter(reserving: bodies.reduce(0) { max($0, $1.count) } + 256)
        write(tapes.map { Value(tape: $0, place: $0.root) }[...], &writer)
        return writer.bytes
    }

    /// Of objects that are merged. Senders' forms are flat; what a stranger sends is not to use up the stack.
    static let maximumDepth = 32

    private struct Value {
        var tape: JSONTape
        var place: JSONIndex

        var isObject: Bool { tape.kind(place) == .object }
    }

    private static func write(_ values: ArraySlice<Value>, depth: Int = 0, _ writer: inout JSONWriter) {
        guard let last = values.last else { return }
        // What is no object hides everything before it.
        let objects = values.suffix(from: (values.lastIndex { !$0.isObject }).map { $0 + 1 } ?? values.startIndex)
        guard objects.count > 1, depth < maximumDepth else { return writer.raw(last.tape, last.place) }
        var names: [String] = []
        var members: [String: [Value]] = [:]
        for object in objects {
            for (key, value) in object.tape.members(object.place) {
                let name = object.tape.text(key) ?? ""
                if members[name] == nil { names.append(name) }
                members[name, default: []].append(Value(tape: object.tape, place: value))
            }
        }
        writer.beginObject()
        for name in names {
            writer.key(name)
            write((members[name] ?? [])[...], depth: depth + 1, &writer)
        }
        writer.endObject()
    }
}
