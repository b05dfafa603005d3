import Events
import JSON

/// Makes a JSON text fit a limit, and leaves it valid: the longest texts are cut to one common length; where that is not
/// enough, the largest members are left out. A list tells what was touched, as JSON pointers; where there are many, the
/// pointer of their group stands for them. What identifies the event is never touched.
struct JSONShortener {
    /// Where the list goes, and what is never touched, in one kind of text.
    struct Shape: Sendable {
        /// The object that gets the list; none: the root.
        var listHolder: [StaticString]
        /// Members by their path that are never touched.
        var untouched: [[StaticString]] = []
        /// Texts that may be cut, but are never left out.
        var needed: [[StaticString]] = []
        /// Texts, by their key, that are of no use when they are cut.
        var whole: [StaticString] = []

        static let atRoot = Shape(listHolder: [])

        /// The canonical event.
        static let canonical = Shape(
            listHolder: ["data"],
            untouched: [
                ["specversion"], ["id"], ["source"], ["type"], ["time"], ["data", "vendor"], ["data", "source"],
                ["data", "received_at"],
            ])
    }

    private struct Leaf {
        /// Keys from the root, as places in the tape.
        let path: [JSONIndex]
        let value: JSONIndex
        let isCuttable: Bool
        let isDroppable: Bool

        /// The key of the group it is in, if it is in one.
        var group: JSONIndex? { path.count > 2 ? path[1] : nil }
    }

    private enum Treatment {
        case cut(to: Int)
        case drop
    }

    /// Texts are not cut below this, so that ids, times and ordinary names stay whole.
    private static let shortestCut = 64
    /// The root, `data` and its groups are opened; what lies deeper is kept or left out as one.
    private static let maximumDepth = 3
    private static let maximumPaths = 20
    private static let longestPath = 160

    private let tape: JSONTape
    private let shape: Shape
    /// Nil where there is none to hold it.
    private let listHolder: JSONIndex?
    private let hidden: JSONIndex?
    private let limit: Int
    private var leaves: [Leaf] = []
    /// Whether the list names members of the root only: the last resort.
    private var isListCoarse = false

    /// An event that is too long goes without the sender's own payload, whatever the policy says.
    init(_ event: EventView, limit: Int) {
        self.init(event.tape, limit: limit, .canonical, hidden: event.original)
    }

    private init(_ tape: JSONTape, limit: Int, _ shape: Shape, hidden: JSONIndex? = nil) {
        self.tape = tape
        self.shape = shape
        self.hidden = hidden
        self.limit = limit
        listHolder = shape.listHolder.reduce(Optional(tape.root)) { place, name in
            place.flatMap { tape.member($0, name) }
        }
        collect(tape.root, [])
    }

    /// - Parameter text: JSON of our own.
    static func shortened(_ text: [UInt8], to limit: Int, _ shape: Shape) throws(RenderingError) -> [UInt8] {
        guard let tape = try? JSONParser().parse(text), tape.kind(tape.root) == .object else {
            throw RenderingError("it does not fit in \(limit) bytes, and only an object can be shortened")
        }
        var shortener = JSONShortener(tape, limit: limit, shape)
        return try shortener.shortened()
    }

    mutating func shortened() throws(RenderingError) -> [UInt8] {
        let order = droppable
        isListCoarse = !fits(dropping: order)
        guard !isListCoarse || fits(dropping: order) else {
            throw RenderingError("what identifies the event does not fit in \(limit) bytes: raise max_bytes")
        }
        let drop = Set(order.prefix(fewestToDrop(of: order)))
        var best = render(cut: Self.shortestCut, dropping: drop)
        var (fitting, excessive) = (Self.shortestCut, limit)
        while excessive - fitting > 1 {
            let middle = (fitting + excessive) / 2
            let candidate = render(cut: middle, dropping: drop)
            if candidate.count <= limit { (fitting, best) = (middle, candidate) } else { excessive = middle }
        }
        return best
    }

    private func fits(dropping leaves: some Sequence<JSONIndex>) -> Bool {
        render(cut: Self.shortestCut, dropping: Set(leaves)).count <= limit
    }

    /// - Parameter order: that fits when all of them are left out.
    private func fewestToDrop(of order: [JSONIndex]) -> Int {
        guard !fits(dropping: []) else { return 0 }
        var (failing, fitting) = (0, order.count)
        while fitting - failing > 1 {
            let middle = (failing + fitting) / 2
            if fits(dropping: order.prefix(middle)) { fitting = middle } else { failing = middle }
        }
        return fitting
    }

    /// Leaves that may be left out, the largest first.
    private var droppable: [JSONIndex] {
        leaves.filter(\.isDroppable).map { leaf in
            let value = tape.span(leaf.value).count
            let key = leaf.path.last.map { tape.span($0).count } ?? 0
            return (leaf.value, key + (leaf.isCuttable ? min(value, Self.shortestCut) : value))
        }.sorted { $0.1 > $1.1 }.map(\.0)
    }

    // MARK: reading

    private mutating func collect(_ object: JSONIndex, _ path: [JSONIndex]) {
        for (key, value) in tape.members(object) where value != hidden {
            let place = path + [key]
            if tape.kind(value) == .object, tape.count(value) > 0, place.count < Self.maximumDepth {
                collect(value, place)
            } else {
                let isUntouched = place.isOne(of: shape.untouched, in: tape)
                let isWhole = tape.kind(value) != .string || shape.whole.contains { tape.equals(key, $0) }
                leaves.append(
                    Leaf(
                        path: place, value: value, isCuttable: !isUntouched && !isWhole,
                        isDroppable: !isUntouched && !place.isOne(of: shape.needed, in: tape)))
            }
        }
    }

    // MARK: writing

    private func render(cut: Int, dropping drop: Set<JSONIndex>) -> [UInt8] {
        var treatments: [JSONIndex: Treatment] = [:]
        var touched: [Leaf] = []
        var remaining: Set<JSONIndex> = []
        for leaf in leaves {
            if drop.contains(leaf.value) {
                treatments[leaf.value] = .drop
                touched.append(leaf)
                continue
            }
            if let group = leaf.group { remaining.insert(group) }
            if leaf.isCuttable, tape.span(leaf.value).count - 2 > cut {
                treatments[leaf.value] = .cut(to: cut)
                touched.append(leaf)
            }
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(limit)
        write(tape.root, 0, treatments, pointers(touched, remaining), &bytes)
        return bytes
    }

    private func write(
        _ object: JSONIndex, _ depth: Int, _ treatments: [JSONIndex: Treatment], _ pointers: [[UInt8]],
        _ bytes: inout [UInt8]
    ) {
        bytes.append(UInt8(ascii: "{"))
        var isFirst = true
        for (key, value) in tape.members(object) where value != hidden {
            let treatment = treatments[value]
            if case .drop = treatment { continue }
            let start = bytes.count
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            bytes.append(contentsOf: tape.bytes[tape.span(key)])
            bytes.append(UInt8(ascii: ":"))
            if case .cut(let length) = treatment {
                writeCut(value, length, &bytes)
            } else if tape.kind(value) == .object, tape.count(value) > 0, depth + 1 < Self.maximumDepth {
                write(value, depth + 1, treatments, pointers, &bytes)
                if bytes.suffix(2) == [UInt8(ascii: "{"), UInt8(ascii: "}")] {
                    // Nothing of this group is left.
                    bytes.removeSubrange(start...)
                    continue
                }
            } else {
                bytes.append(contentsOf: tape.bytes[tape.span(value)])
            }
            isFirst = false
        }
        if object == listHolder { writeTruncated(pointers, isFirst: isFirst, &bytes) }
        bytes.append(UInt8(ascii: "}"))
    }

    private func writeTruncated(_ pointers: [[UInt8]], isFirst: Bool, _ bytes: inout [UInt8]) {
        guard !pointers.isEmpty else { return }
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        bytes.append(contentsOf: "\"truncated\":[".utf8)
        for (position, pointer) in pointers.enumerated() {
            bytes.append(contentsOf: position == 0 ? "\"".utf8 : ",\"".utf8)
            bytes.append(contentsOf: pointer)
            bytes.append(UInt8(ascii: "\""))
        }
        bytes.append(UInt8(ascii: "]"))
    }

    /// A text cut in its escaped form, outside of escapes and characters; a pair of surrogate escapes is one character.
    private func writeCut(_ text: JSONIndex, _ limit: Int, _ bytes: inout [UInt8]) {
        let span = tape.span(text)
        let start = span.lowerBound + 1
        var end = start
        while end < span.upperBound - 1 {
            let width = escapedWidth(end)
            guard end + width - start <= limit else { break }
            end += width
        }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: tape.bytes[start..<end])
        bytes.append(UInt8(ascii: "\""))
    }

    private func escapedWidth(_ position: Int) -> Int {
        guard tape.bytes[position] == UInt8(ascii: "\\") else { return UTF8Text.width(tape.bytes[position]) }
        guard tape.bytes[position + 1] == UInt8(ascii: "u") else { return 2 }
        return isSurrogate(position, "89ab") && isSurrogate(position + 6, "cdef") ? 12 : 6
    }

    /// Whether an escape of a surrogate stands there whose second digit is one of these; what is a high one by itself stays
    /// what it is.
    private func isSurrogate(_ position: Int, _ digits: StaticString) -> Bool {
        let text = tape.bytes
        guard text[position] == UInt8(ascii: "\\"), text[position + 1] == UInt8(ascii: "u") else { return false }
        let digit = text[position + 3] | 0x20
        return text[position + 2] | 0x20 == UInt8(ascii: "d")
            && digits.withUTF8Buffer { unsafe $0.contains(digit) }
    }

    // MARK: pointers

    /// RFC 6901 pointers as they stand inside a JSON text.
    /// - Parameter remaining: groups of which something is left.
    private func pointers(_ leaves: [Leaf], _ remaining: Set<JSONIndex>) -> [[UInt8]] {
        var result: [[UInt8]] = []
        for leaf in leaves {
            var pointer = pointer(leaf.path)
            let isGone = leaf.group.map { !remaining.contains($0) } ?? false
            let isTooMuch = pointer.count > Self.longestPath || (leaf.group != nil && result.count >= Self.maximumPaths)
            if isGone || isTooMuch { pointer = self.pointer(leaf.path.prefix(2)) }
            if isListCoarse { pointer = self.pointer(leaf.path.prefix(1)) }
            if !result.contains(pointer) { result.append(pointer) }
        }
        return result
    }

    private func pointer(_ path: some Sequence<JSONIndex>) -> [UInt8] {
        var bytes: [UInt8] = []
        for key in path {
            bytes.append(UInt8(ascii: "/"))
            for byte in tape.bytes[tape.span(key)].dropFirst().dropLast() {
                switch byte {
                case UInt8(ascii: "~"): bytes += [byte, UInt8(ascii: "0")]
                case UInt8(ascii: "/"): bytes += [UInt8(ascii: "~"), UInt8(ascii: "1")]
                default: bytes.append(byte)
                }
            }
        }
        return bytes
    }
}

extension [JSONIndex] {
    /// Whether these keys are those of one of the paths.
    fileprivate func isOne(of paths: [[StaticString]], in tape: JSONTape) -> Bool {
        paths.contains { path in
            path.count == count && zip(self, path).allSatisfy { tape.equals($0, $1) }
        }
    }
}
