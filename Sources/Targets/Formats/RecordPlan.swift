import Events

/// The rules of one kind of record with the objects they stand in numbered, so that it is a matter of numbers which of them
/// to close and to open for the next member.
struct RecordPlan: Sendable {
    struct Object: Sendable {
        let name: StaticString
        /// The one it stands in.
        let outer: Int
        /// Itself and those it stands in, a bit each.
        let lineage: UInt64
    }

    struct Step: Sendable {
        let object: Int
        /// Of the member in it.
        let key: StaticString
        let value: RecordValue
        let condition: [EventField]
    }

    /// The record itself.
    static let root = 0

    let objects: [Object]
    let steps: [Step]

    /// - Parameter rules: those whose paths begin alike stand together; in at most 64 objects.
    init(_ rules: [RecordRule]) {
        var objects = [Object(name: "", outer: Self.root, lineage: 1)]
        steps = rules.map { rule in
            let isRest = if case .rest = rule.value { true } else { false }
            // The rest is members of an object, not one member.
            let path = isRest ? rule.path[...] : rule.path.dropLast()
            let object = path.reduce(Self.root) { outer, name in
                if let known = objects.firstIndex(where: { $0.outer == outer && $0.name.isSame(as: name) }) {
                    return known
                }
                precondition(objects.count < 64)
                objects.append(
                    Object(name: name, outer: outer, lineage: objects[outer].lineage | 1 << UInt64(objects.count)))
                return objects.count - 1
            }
            return Step(
                object: object, key: rule.path[rule.path.count - 1], value: rule.value, condition: rule.condition)
        }
        self.objects = objects
    }
}

extension StaticString {
    func isSame(as other: StaticString) -> Bool {
        withUTF8Buffer { own in other.withUTF8Buffer { unsafe own.elementsEqual($0) } }
    }
}
