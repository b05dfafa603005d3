/// The places inside `personal`, `additional` and the sender's payload that some rule looks at, as a tree of keys, so
/// that one pass over an event's members finds them all, however many there are.
struct PathTree: Sendable {
    /// Where the three trees begin.
    enum Root: Int32, CaseIterable, Sendable {
        case personal, additional, original
    }

    private struct Edge: Sendable {
        let parent: Int32
        let child: Int32
        let start: UInt32
        let count: UInt32
        /// Of a key that is short.
        let text: ShortText
    }

    private var edges: [Edge] = []
    private var bytes: [UInt8] = []
    private var slots: [Int32] = []
    /// By node: the path that ends there; -1 for none.
    private var paths: [Int32] = [-1, -1, -1]
    private var hasChildren: [Bool] = [false, false, false]
    /// The last element of any list that some rule looks at; -1 for none.
    private(set) var lastPosition = -1

    var memory: Int {
        edges.capacity * MemoryLayout<Edge>.stride + bytes.capacity + 4 * (slots.capacity + paths.capacity)
            + hasChildren.capacity
    }

    func path(_ node: Int32) -> Int32 { paths[Int(node)] }
    func isLeaf(_ node: Int32) -> Bool { !hasChildren[Int(node)] }

    @inline(__always)
    func child(_ node: Int32, _ key: [UInt8], _ range: Range<Int>) -> Int32? {
        guard !slots.isEmpty else { return nil }
        let mask = slots.count - 1
        if range.count <= ShortText.longest {
            let text = ShortText(key, range)
            var place = Int(truncatingIfNeeded: text.hash(range.count, of: node)) & mask
            while slots[place] >= 0 {
                let edge = edges[Int(slots[place])]
                if edge.text == text, edge.parent == node, Int(edge.count) == range.count { return edge.child }
                place = (place + 1) & mask
            }
            return nil
        }
        var place = Int(truncatingIfNeeded: Self.hash(node, key, range)) & mask
        while slots[place] >= 0 {
            let edge = edges[Int(slots[place])]
            if edge.parent == node, Int(edge.count) == range.count, isSame(edge, key, range) { return edge.child }
            place = (place + 1) & mask
        }
        return nil
    }

    private func isSame(_ edge: Edge, _ key: [UInt8], _ range: Range<Int>) -> Bool {
        var own = Int(edge.start)
        for position in range {
            if bytes[own] != key[position] { return false }
            own += 1
        }
        return true
    }

    mutating func add(_ keys: [[UInt8]], below root: Root, path: Int32) {
        var node = root.rawValue
        for key in keys {
            if root == .original, let position = Int(String(decoding: key, as: UTF8.self)) {
                lastPosition = max(lastPosition, position)
            }
            node = child(node, key, 0..<key.count) ?? insert(node, key)
        }
        paths[Int(node)] = path
    }

    private mutating func insert(_ parent: Int32, _ key: [UInt8]) -> Int32 {
        if (edges.count + 1) * 2 > slots.count { grow() }
        let child = Int32(paths.count)
        paths.append(-1)
        hasChildren.append(false)
        hasChildren[Int(parent)] = true
        edges.append(
            Edge(
                parent: parent, child: child, start: UInt32(bytes.count), count: UInt32(key.count),
                text: key.count <= ShortText.longest ? ShortText(key, key.indices) : .none))
        bytes += key
        place(Int32(edges.count - 1), Self.hash(parent, key, 0..<key.count))
        return child
    }

    private mutating func grow() {
        slots = Array(repeating: -1, count: max(16, slots.count * 2))
        for (number, edge) in edges.enumerated() {
            let range = Int(edge.start)..<Int(edge.start + edge.count)
            place(Int32(number), Self.hash(edge.parent, bytes, range))
        }
    }

    private mutating func place(_ edge: Int32, _ hash: UInt64) {
        let mask = slots.count - 1
        var place = Int(truncatingIfNeeded: hash) & mask
        while slots[place] >= 0 { place = (place + 1) & mask }
        slots[place] = edge
    }

    private static func hash(_ node: Int32, _ key: [UInt8], _ range: Range<Int>) -> UInt64 {
        if range.count <= ShortText.longest { return ShortText(key, range).hash(range.count, of: node) }
        var hash = ByteHash(path: node, kind: .exact)
        for position in range { hash.add(key[position]) }
        return hash.value
    }
}
