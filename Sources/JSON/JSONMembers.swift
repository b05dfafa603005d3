import CSimdjson

extension JSONTape {
    /// The members of an object, in the order of the text; empty when it is not an object.
    package func members(_ object: JSONIndex) -> JSONMembers {
        JSONMembers(nodes: nodes, container: kind(object) == .object ? object : nil)
    }

    /// The elements of an array; empty when it is not an array.
    package func elements(_ array: JSONIndex) -> JSONElements {
        JSONElements(nodes: nodes, container: kind(array) == .array ? array : nil)
    }

    /// The value of the object's member; nil when it has none of that name or is not an object.
    package func member(_ object: JSONIndex, _ name: StaticString) -> JSONIndex? {
        name.withUTF8Buffer { name in unsafe member(object, name, ignoringCase: false) }
    }

    /// The value of the object's member; nil when it has none of that name or is not an object.
    package func member(_ object: JSONIndex, named name: String) -> JSONIndex? {
        unsafe withUTF8(name) { name in unsafe member(object, name, ignoringCase: false) }
    }

    /// The value of the first member whose name is this one with ASCII letters in either case; nil when there is none.
    package func member(_ object: JSONIndex, ignoringCase name: StaticString) -> JSONIndex? {
        name.withUTF8Buffer { name in unsafe member(object, name, ignoringCase: true) }
    }

    private func member(
        _ object: JSONIndex, _ name: UnsafeBufferPointer<UInt8>, ignoringCase: Bool
    ) -> JSONIndex? {
        let container = nodes[Int(object.raw)]
        guard container.kind == .object else { return nil }
        var key = object.raw + 1
        while key < container.next {
            if unsafe equals(nodes[Int(key)], name, ignoringCase: ignoringCase) { return JSONIndex(raw: key + 1) }
            key = nodes[Int(key) + 1].next
        }
        return nil
    }

    /// The element of an array; nil beyond its end or when it is not an array. Takes time linear in `position`.
    package func element(_ array: JSONIndex, at position: Int) -> JSONIndex? {
        guard position >= 0, position < count(array) else { return nil }
        return elements(array).dropFirst(position).first { _ in true }
    }
}

/// The keys and values of an object; iterating allocates nothing.
package struct JSONMembers: Sequence, Sendable {
    let nodes: [csimdjson_node]
    let container: JSONIndex?

    package struct Iterator: IteratorProtocol {
        let nodes: [csimdjson_node]
        var position: UInt32
        let end: UInt32

        package mutating func next() -> (key: JSONIndex, value: JSONIndex)? {
            guard position < end else { return nil }
            let key = position
            position = nodes[Int(key) + 1].next
            return (JSONIndex(raw: key), JSONIndex(raw: key + 1))
        }
    }

    package func makeIterator() -> Iterator {
        guard let container else { return Iterator(nodes: [], position: 0, end: 0) }
        return Iterator(nodes: nodes, position: container.raw + 1, end: nodes[Int(container.raw)].next)
    }

    package var underestimatedCount: Int { container.map { nodes[Int($0.raw)].count } ?? 0 }
}

/// The elements of an array; iterating allocates nothing.
package struct JSONElements: Sequence, Sendable {
    let nodes: [csimdjson_node]
    let container: JSONIndex?

    package struct Iterator: IteratorProtocol {
        let nodes: [csimdjson_node]
        var position: UInt32
        let end: UInt32

        package mutating func next() -> JSONIndex? {
            guard position < end else { return nil }
            let element = position
            position = nodes[Int(element)].next
            return JSONIndex(raw: element)
        }
    }

    package func makeIterator() -> Iterator {
        guard let container else { return Iterator(nodes: [], position: 0, end: 0) }
        return Iterator(nodes: nodes, position: container.raw + 1, end: nodes[Int(container.raw)].next)
    }

    package var underestimatedCount: Int { container.map { nodes[Int($0.raw)].count } ?? 0 }
}
